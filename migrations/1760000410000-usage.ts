import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What is billed and at which price: the price book, and spans of usage by server and component. Neither can be
 * changed afterwards: a price begins, a span opens and closes once.
 */
export class Usage1760000410000 implements MigrationInterface {
  name = 'Usage1760000410000';

  async up(db: QueryRunner): Promise<void> {
    await db.query('CREATE EXTENSION IF NOT EXISTS btree_gist');
    await db.query(PRICES);
    await db.query('ALTER TABLE usage_spans RENAME TO usage_spans_of_servers');
    await db.query(SPANS);
    await db.query(SPANS_SO_FAR);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`
      ALTER TABLE server_types
        ADD COLUMN price_hourly_micro bigint NOT NULL DEFAULT 0 CHECK (price_hourly_micro >= 0),
        ADD COLUMN price_monthly_minor bigint NOT NULL DEFAULT 0 CHECK (price_monthly_minor >= 0);
      UPDATE server_types t SET price_hourly_micro = p.hourly_micro, price_monthly_minor = p.monthly_minor
        FROM server_type_prices p WHERE p.id = t.id;
      ALTER TABLE server_types ALTER price_hourly_micro DROP DEFAULT, ALTER price_monthly_minor DROP DEFAULT;
      CREATE TABLE usage_spans_of_servers (
        id bigint PRIMARY KEY,
        account_id bigint NOT NULL,
        project_id bigint NOT NULL,
        server_id bigint NOT NULL,
        server_type_id bigint NOT NULL,
        price_hourly_micro bigint NOT NULL,
        price_monthly_minor bigint NOT NULL,
        currency char(3) NOT NULL,
        opened_at timestamptz NOT NULL,
        closed_at timestamptz,
        CHECK (closed_at IS NULL OR closed_at >= opened_at)
      );
      INSERT INTO usage_spans_of_servers
        SELECT u.id, u.account_id, u.project_id, u.server_id, t.id, t.price_hourly_micro, t.price_monthly_minor,
               b.currency, u.opened_at, u.closed_at
        FROM usage_spans u JOIN billing_accounts b USING (account_id)
        JOIN server_types t ON u.price_item = 'disk/' || t.name
        WHERE u.component = 'disk';
      DROP VIEW server_type_prices;
      DROP TABLE usage_spans, price_versions, price_items, billing_settings;
      DROP FUNCTION check_price, check_span;
      DROP EXTENSION btree_gist;
      ALTER TABLE usage_spans_of_servers RENAME TO usage_spans;
      CREATE UNIQUE INDEX usage_spans_one_open ON usage_spans (server_id) WHERE closed_at IS NULL;
    `);
  }
}

const PRICES = `
  CREATE TABLE billing_settings (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    stopped_compute_billed boolean NOT NULL DEFAULT false
  );
  COMMENT ON COLUMN billing_settings.stopped_compute_billed IS 'bill CPU and RAM of a stopped server, not its disk alone';
  INSERT INTO billing_settings DEFAULT VALUES;

  CREATE TABLE price_items (
    code text PRIMARY KEY CHECK (code ~ '^(compute|disk|image|address|snapshot|backup)/.+'),
    component text GENERATED ALWAYS AS (split_part(code, '/', 1)) STORED,
    title text NOT NULL CHECK (title <> '')
  );
  COMMENT ON COLUMN price_items.title IS 'what an invoice line calls it';

  CREATE TABLE price_versions (
    item text NOT NULL REFERENCES price_items,
    effective_from timestamptz NOT NULL CHECK (date_trunc('second', effective_from) = effective_from),
    hourly_micro bigint NOT NULL CHECK (hourly_micro >= 0),
    recorded_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (item, effective_from)
  );
  COMMENT ON COLUMN price_versions.hourly_micro IS
    'of one unit for an hour, in millionths of the minor unit; a month costs 672 hours at most';

  CREATE FUNCTION check_price() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    IF EXISTS (SELECT 1 FROM price_versions WHERE item = NEW.item)
       AND NEW.effective_from < greatest(NEW.recorded_at, (SELECT max(sealed_until) FROM billing_accounts)) THEN
      RAISE EXCEPTION 'the price of % cannot change in the past', NEW.item
        USING ERRCODE = 'check_violation', CONSTRAINT = 'price_not_in_the_past';
    END IF;
    RETURN NEW;
  END $$;
  CREATE TRIGGER price_not_in_the_past BEFORE INSERT ON price_versions FOR EACH ROW EXECUTE FUNCTION check_price();
  CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON price_versions
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
  REVOKE UPDATE, DELETE, TRUNCATE ON price_versions FROM PUBLIC, CURRENT_USER;

  CREATE VIEW server_type_prices AS
    SELECT t.id, sum(p.hourly_micro)::bigint AS hourly_micro,
           sum(ceil(p.hourly_micro::numeric * 672 / 1000000))::bigint AS monthly_minor
    FROM server_types t CROSS JOIN LATERAL (
      SELECT DISTINCT ON (v.item) v.hourly_micro FROM price_versions v
      WHERE v.item IN ('compute/' || t.name, 'disk/' || t.name) AND v.effective_from <= now()
      ORDER BY v.item, v.effective_from DESC
    ) AS p GROUP BY t.id HAVING count(*) = 2;
  COMMENT ON VIEW server_type_prices IS
    'of a running server now, and at most in a month; without a price for both of its parts there is none';
`;

const SPANS = `
  CREATE TABLE usage_spans (
    id bigint PRIMARY KEY,
    account_id bigint NOT NULL REFERENCES billing_accounts,
    project_id bigint NOT NULL,
    server_id bigint NOT NULL,
    server_name text NOT NULL,
    component text GENERATED ALWAYS AS (split_part(price_item, '/', 1)) STORED,
    slot text NOT NULL DEFAULT '',
    price_item text NOT NULL REFERENCES price_items,
    quantity integer NOT NULL DEFAULT 1 CHECK (quantity > 0),
    opened_at timestamptz NOT NULL CHECK (date_trunc('second', opened_at) = opened_at),
    closed_at timestamptz CHECK (date_trunc('second', closed_at) = closed_at AND closed_at >= opened_at),
    CONSTRAINT usage_spans_no_overlap EXCLUDE USING gist
      (server_id WITH =, component WITH =, slot WITH =, tstzrange(opened_at, closed_at) WITH &&)
  );
  CREATE INDEX usage_spans_billing ON usage_spans (account_id, server_id, component, slot, opened_at, id);
  CREATE INDEX usage_spans_open ON usage_spans (server_id) WHERE closed_at IS NULL;
  COMMENT ON COLUMN usage_spans.slot IS 'which of several: the address, the snapshot; empty for what a server has once';
  COMMENT ON COLUMN usage_spans.quantity IS 'GiB of a snapshot or backup; else 1';

  CREATE FUNCTION check_span() RETURNS trigger LANGUAGE plpgsql AS $$
  DECLARE
    told timestamptz := CASE TG_OP WHEN 'INSERT' THEN NEW.opened_at ELSE NEW.closed_at END;
  BEGIN
    IF TG_OP = 'UPDATE' AND (OLD.closed_at IS NOT NULL OR NEW.closed_at IS NULL
        OR (NEW.id, NEW.account_id, NEW.project_id, NEW.server_id, NEW.server_name, NEW.slot, NEW.price_item,
            NEW.quantity, NEW.opened_at)
           IS DISTINCT FROM (OLD.id, OLD.account_id, OLD.project_id, OLD.server_id, OLD.server_name, OLD.slot,
            OLD.price_item, OLD.quantity, OLD.opened_at)) THEN
      RAISE EXCEPTION 'usage span % may only be closed, and once', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    IF told < (SELECT sealed_until FROM billing_accounts WHERE account_id = NEW.account_id) THEN
      RAISE EXCEPTION 'usage of server % falls into a period that is closed', NEW.server_id
        USING ERRCODE = 'check_violation', CONSTRAINT = 'usage_not_in_closed_period';
    END IF;
    RETURN NEW;
  END $$;
  CREATE TRIGGER usage_not_in_closed_period BEFORE INSERT OR UPDATE ON usage_spans
    FOR EACH ROW EXECUTE FUNCTION check_span();
  CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON usage_spans
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
  REVOKE DELETE, TRUNCATE ON usage_spans FROM PUBLIC, CURRENT_USER;
`;

/** A type's price is divided: four fifths for CPU and RAM, the rest for its disk. */
const SPANS_SO_FAR = `
  INSERT INTO price_items (code, title)
    SELECT 'compute/' || name, name || ': CPU and RAM' FROM server_types
    UNION ALL SELECT 'disk/' || name, name || ': disk' FROM server_types;
  INSERT INTO price_versions (item, effective_from, hourly_micro)
    SELECT 'compute/' || name, 'epoch'::timestamptz, price_hourly_micro - price_hourly_micro / 5 FROM server_types
    UNION ALL SELECT 'disk/' || name, 'epoch'::timestamptz, price_hourly_micro / 5 FROM server_types;
  INSERT INTO usage_spans (id, account_id, project_id, server_id, server_name, price_item, opened_at, closed_at)
    SELECT CASE kind WHEN 'disk' THEN old.id ELSE old.id - 1 END, old.account_id, old.project_id, old.server_id,
           s.name, kind || '/' || t.name, date_trunc('second', old.opened_at), date_trunc('second', old.closed_at)
    FROM usage_spans_of_servers old JOIN server_types t ON t.id = old.server_type_id
    JOIN servers s ON s.id = old.server_id CROSS JOIN (VALUES ('compute'), ('disk')) AS kinds (kind);
  DROP TABLE usage_spans_of_servers;
  ALTER TABLE server_types DROP COLUMN price_hourly_micro, DROP COLUMN price_monthly_minor;
`;
