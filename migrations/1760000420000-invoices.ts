import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Invoices and credit notes as documents of ours: numbered without gaps, written once, never changed. What becomes of
 * an invoice is told by its settlements.
 */
export class Invoices1760000420000 implements MigrationInterface {
  name = 'Invoices1760000420000';

  async up(db: QueryRunner): Promise<void> {
    await db.query(SETTINGS);
    await db.query(INVOICES);
    await db.query(SETTLEMENTS);
    await db.query(PROMOTIONS);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`
      DROP VIEW invoice_balances;
      DROP TABLE promotion_redemptions, promotion_codes, credit_notes, invoice_settlements, invoice_lines, invoices,
        document_series, tax_rates, billing_profiles;
      DROP FUNCTION check_settlement, check_credit_notes;
      ALTER TABLE billing_settings DROP COLUMN seller, DROP COLUMN invoice_series, DROP COLUMN credit_note_series,
        DROP COLUMN due_days, DROP COLUMN settle_seconds, DROP COLUMN threshold_new_minor,
        DROP COLUMN threshold_paid_once_minor, DROP COLUMN threshold_trusted_minor;
    `);
  }
}

const SETTINGS = `
  ALTER TABLE billing_settings
    ADD COLUMN seller jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN invoice_series text NOT NULL DEFAULT 'INV-' CHECK (invoice_series <> ''),
    ADD COLUMN credit_note_series text NOT NULL DEFAULT 'CN-' CHECK (credit_note_series <> invoice_series),
    ADD COLUMN due_days integer NOT NULL DEFAULT 0 CHECK (due_days >= 0),
    ADD COLUMN settle_seconds integer NOT NULL DEFAULT 300 CHECK (settle_seconds >= 0),
    ADD COLUMN threshold_new_minor bigint NOT NULL DEFAULT 2000 CHECK (threshold_new_minor > 0),
    ADD COLUMN threshold_paid_once_minor bigint NOT NULL DEFAULT 10000 CHECK (threshold_paid_once_minor > 0),
    ADD COLUMN threshold_trusted_minor bigint NOT NULL DEFAULT 100000 CHECK (threshold_trusted_minor > 0);
  COMMENT ON COLUMN billing_settings.seller IS 'name, address, country, vatId: who invoices';
  COMMENT ON COLUMN billing_settings.settle_seconds IS 'how long after a moment all usage before it has been told';
  COMMENT ON COLUMN billing_settings.threshold_new_minor IS 'open usage above it is invoiced before the month ends';

  CREATE TABLE billing_profiles (
    account_id bigint PRIMARY KEY,
    name text NOT NULL,
    address text NOT NULL,
    country char(2) NOT NULL CHECK (country ~ '^[A-Z]{2}$'),
    vat_id text CHECK (vat_id ~ '^[A-Z]{2}[0-9A-Z+*]{2,13}$')
  );
  COMMENT ON TABLE billing_profiles IS 'whom invoices are made out to; each invoice keeps what stood here then';

  CREATE TABLE tax_rates (
    country char(2) NOT NULL CHECK (country ~ '^[A-Z]{2}$'),
    effective_from timestamptz NOT NULL,
    basis_points integer NOT NULL CHECK (basis_points BETWEEN 0 AND 10000),
    PRIMARY KEY (country, effective_from)
  );
  COMMENT ON COLUMN tax_rates.basis_points IS 'hundredths of a percent';
  CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON tax_rates
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

  CREATE TABLE document_series (
    series text PRIMARY KEY,
    last_number integer NOT NULL DEFAULT 0 CHECK (last_number >= 0)
  );
  COMMENT ON TABLE document_series IS 'counted in the transaction that writes the document: a number is never lost';
`;

const INVOICES = `
  CREATE TABLE invoices (
    id bigint PRIMARY KEY,
    account_id bigint NOT NULL REFERENCES billing_accounts,
    series text NOT NULL,
    number integer NOT NULL CHECK (number > 0),
    currency char(3) NOT NULL,
    reason text NOT NULL CHECK (reason IN ('month', 'threshold', 'manual')),
    period_from timestamptz NOT NULL,
    period_until timestamptz NOT NULL CHECK (period_until > period_from),
    issued_at timestamptz NOT NULL,
    due_at timestamptz NOT NULL CHECK (due_at >= issued_at),
    net_minor bigint NOT NULL CHECK (net_minor >= 0),
    tax_minor bigint NOT NULL CHECK (tax_minor >= 0),
    total_minor bigint NOT NULL GENERATED ALWAYS AS (net_minor + tax_minor) STORED,
    tax_treatment text NOT NULL CHECK (tax_treatment IN ('standard', 'reverse_charge', 'none')),
    tax_country char(2),
    tax_basis_points integer NOT NULL CHECK (tax_basis_points >= 0),
    customer jsonb NOT NULL,
    seller jsonb NOT NULL,
    CHECK (tax_treatment = 'standard' OR tax_minor = 0),
    CONSTRAINT invoices_number UNIQUE (series, number),
    CONSTRAINT invoices_period_once EXCLUDE USING gist
      (account_id WITH =, tstzrange(period_from, period_until) WITH &&)
  );
  CREATE INDEX invoices_account ON invoices (account_id, issued_at);
  CREATE INDEX invoices_issued ON invoices (issued_at);

  CREATE TABLE invoice_lines (
    invoice_id bigint NOT NULL,
    line integer NOT NULL CHECK (line > 0),
    span_id bigint,
    server_id bigint,
    server_name text NOT NULL,
    component text NOT NULL,
    title text NOT NULL,
    slot text NOT NULL,
    used_from timestamptz NOT NULL,
    used_until timestamptz NOT NULL,
    seconds bigint NOT NULL,
    billed_seconds bigint NOT NULL,
    quantity integer NOT NULL,
    hourly_micro bigint NOT NULL,
    amount_micro bigint NOT NULL,
    amount_minor bigint NOT NULL,
    PRIMARY KEY (invoice_id, line)
  );
  COMMENT ON TABLE invoice_lines IS
    'written in the transaction of their invoice, before it; the daily check sees that none is without';
  COMMENT ON COLUMN invoice_lines.billed_seconds IS 'fewer than were used above the month''s cap of 672 hours';
  COMMENT ON COLUMN invoice_lines.amount_micro IS 'what the time is worth exactly; amount_minor is rounded from it once';

  CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON invoices
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
  CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON invoice_lines
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
  REVOKE UPDATE, DELETE, TRUNCATE ON invoice_lines FROM PUBLIC, CURRENT_USER;
  REVOKE DELETE, TRUNCATE ON invoices FROM PUBLIC, CURRENT_USER;
`;

const SETTLEMENTS = `
  CREATE TABLE invoice_settlements (
    invoice_id bigint NOT NULL REFERENCES invoices,
    kind text NOT NULL CHECK (kind IN ('credit', 'payment', 'credit_note', 'write_off', 'dispute')),
    cause_id text NOT NULL,
    amount_minor bigint NOT NULL CHECK (amount_minor <> 0),
    settled_at timestamptz NOT NULL,
    PRIMARY KEY (invoice_id, kind, cause_id)
  );
  COMMENT ON COLUMN invoice_settlements.amount_minor IS 'below zero where a dispute or a bounced payment opens it again';

  CREATE VIEW invoice_balances AS
    SELECT i.id, i.account_id, i.currency, i.total_minor, i.due_at,
           i.total_minor - coalesce(sum(s.amount_minor), 0)::bigint AS open_minor, max(s.settled_at) AS settled_at
    FROM invoices i LEFT JOIN invoice_settlements s ON s.invoice_id = i.id GROUP BY i.id;

  CREATE FUNCTION check_settlement() RETURNS trigger LANGUAGE plpgsql AS $$
  DECLARE
    open bigint;
    total bigint;
  BEGIN
    SELECT open_minor, total_minor INTO open, total FROM invoice_balances WHERE id = NEW.invoice_id;
    IF open NOT BETWEEN 0 AND total THEN
      RAISE EXCEPTION 'invoice % would be settled beyond its total', NEW.invoice_id
        USING ERRCODE = 'check_violation', CONSTRAINT = 'invoice_not_oversettled';
    END IF;
    RETURN NULL;
  END $$;
  CREATE TRIGGER invoice_not_oversettled AFTER INSERT ON invoice_settlements
    FOR EACH ROW EXECUTE FUNCTION check_settlement();

  CREATE TABLE credit_notes (
    id bigint PRIMARY KEY,
    invoice_id bigint NOT NULL REFERENCES invoices,
    request_id text NOT NULL UNIQUE,
    series text NOT NULL,
    number integer NOT NULL CHECK (number > 0),
    issued_at timestamptz NOT NULL,
    net_minor bigint NOT NULL CHECK (net_minor >= 0),
    tax_minor bigint NOT NULL CHECK (tax_minor >= 0),
    total_minor bigint NOT NULL GENERATED ALWAYS AS (net_minor + tax_minor) STORED CHECK (net_minor + tax_minor > 0),
    settled_minor bigint NOT NULL CHECK (settled_minor >= 0),
    refund_minor bigint NOT NULL CHECK (refund_minor >= 0),
    refund_to text NOT NULL CHECK (refund_to IN ('card', 'credit')),
    reason text NOT NULL CHECK (reason <> ''),
    CHECK (settled_minor + refund_minor = net_minor + tax_minor),
    CONSTRAINT credit_notes_number UNIQUE (series, number)
  );
  CREATE INDEX credit_notes_invoice ON credit_notes (invoice_id);
  COMMENT ON COLUMN credit_notes.settled_minor IS 'what is no longer owed; refund_minor is what goes back to card or credit';

  CREATE FUNCTION check_credit_notes() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    IF EXISTS (SELECT 1 FROM credit_notes n JOIN invoices i ON i.id = n.invoice_id WHERE i.id = NEW.invoice_id
               GROUP BY i.id HAVING sum(n.net_minor) > i.net_minor OR sum(n.tax_minor) > i.tax_minor) THEN
      RAISE EXCEPTION 'more would be given back than invoice % has', NEW.invoice_id
        USING ERRCODE = 'check_violation', CONSTRAINT = 'credit_notes_within_invoice';
    END IF;
    RETURN NULL;
  END $$;
  CREATE TRIGGER credit_notes_within_invoice AFTER INSERT ON credit_notes
    FOR EACH ROW EXECUTE FUNCTION check_credit_notes();

  CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON invoice_settlements
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
  CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON credit_notes
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
  REVOKE UPDATE, DELETE, TRUNCATE ON invoice_settlements, credit_notes FROM PUBLIC, CURRENT_USER;
`;

const PROMOTIONS = `
  CREATE TABLE promotion_codes (
    code text PRIMARY KEY CHECK (code ~ '^[A-Z0-9-]{3,40}$'),
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    currency char(3) NOT NULL CHECK (currency ~ '^[a-z]{3}$'),
    note text NOT NULL,
    redeem_until timestamptz,
    valid_days integer CHECK (valid_days > 0),
    redemptions_left integer CHECK (redemptions_left >= 0)
  );
  COMMENT ON COLUMN promotion_codes.valid_days IS 'the credit expires so many days after it was redeemed; null: never';
  COMMENT ON COLUMN promotion_codes.redemptions_left IS 'null: any number of accounts';

  CREATE TABLE promotion_redemptions (
    code text NOT NULL REFERENCES promotion_codes,
    account_id bigint NOT NULL REFERENCES billing_accounts,
    redeemed_at timestamptz NOT NULL,
    PRIMARY KEY (code, account_id)
  );
`;
