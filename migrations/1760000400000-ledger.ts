import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The ledger: append-only, double-entry, in integers. A transaction that does not sum to zero cannot be committed,
 * and what is committed cannot be changed: triggers refuse it to everybody, and the privilege is taken even from the
 * owner of the tables, which is what the application runs as.
 */
export class Ledger1760000400000 implements MigrationInterface {
  name = 'Ledger1760000400000';

  async up(db: QueryRunner): Promise<void> {
    await db.query(CHART);
    await db.query(TRANSACTIONS);
    await db.query(RULES);
    await db.query(CREDIT);
    await db.query(CREDIT_SO_FAR);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE credit_entries (
        id bigint PRIMARY KEY,
        account_id bigint NOT NULL,
        amount_minor bigint NOT NULL,
        currency char(3) NOT NULL,
        cause text NOT NULL,
        cause_id text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        UNIQUE (cause, cause_id)
      );
      CREATE INDEX credit_entries_account ON credit_entries (account_id);
      INSERT INTO credit_entries
        SELECT t.id, e.customer_id, -sum(e.amount), e.currency, t.cause_kind, t.cause_id, t.posted_at
        FROM ledger_entries e JOIN ledger_transactions t ON t.id = e.transaction_id
        WHERE e.account = 'customer_credit' GROUP BY t.id, e.customer_id, e.currency;
      DROP TABLE credit_uses, credit_lots, billing_accounts, ledger_entries, ledger_transactions, ledger_accounts;
      DROP FUNCTION refuse_change, check_balanced, check_entry, check_lot;
    `);
  }
}

const CHART = `
  CREATE TABLE ledger_accounts (
    code text PRIMARY KEY,
    side text NOT NULL CHECK (side IN ('asset', 'liability', 'income', 'expense')),
    unit text NOT NULL CHECK (unit IN ('minor', 'micro')),
    micro_per_unit bigint GENERATED ALWAYS AS (CASE unit WHEN 'minor' THEN 1000000 ELSE 1 END) STORED,
    of_customer boolean NOT NULL,
    title text NOT NULL
  );
  COMMENT ON COLUMN ledger_accounts.unit IS
    'of its entries: minor units of the currency, or millionths of one where usage is summed exactly';
  INSERT INTO ledger_accounts (code, side, unit, of_customer, title) VALUES
    ('receivable',       'asset',     'minor', true,  'What customers owe on invoices'),
    ('customer_credit',  'liability', 'minor', true,  'What customers have with us'),
    ('refunds_payable',  'liability', 'minor', true,  'Refunds promised and not yet sent'),
    ('disputed',         'asset',     'minor', true,  'Payments that the bank holds back in a dispute'),
    ('stripe_clearing',  'asset',     'minor', false, 'Our balance at Stripe'),
    ('bank',             'asset',     'minor', false, 'Money received outside Stripe'),
    ('tax',              'liability', 'minor', false, 'Tax to be paid, by country'),
    ('revenue_compute',  'income',    'micro', false, 'Servers: CPU and RAM'),
    ('revenue_disk',     'income',    'micro', false, 'Servers: disk'),
    ('revenue_image',    'income',    'micro', false, 'Images'),
    ('revenue_address',  'income',    'micro', false, 'Addresses'),
    ('revenue_snapshot', 'income',    'micro', false, 'Snapshots'),
    ('revenue_backup',   'income',    'micro', false, 'Backups'),
    ('rounding',         'income',    'micro', false, 'From exact usage to the invoice lines'),
    ('refunds',          'expense',   'minor', false, 'Revenue given back by credit notes'),
    ('promotions',       'expense',   'minor', false, 'Credit that we gave away'),
    ('payment_fees',     'expense',   'minor', false, 'Fees of payments and disputes'),
    ('write_offs',       'expense',   'minor', false, 'Receivables given up');
`;

const TRANSACTIONS = `
  CREATE TABLE ledger_transactions (
    id bigint PRIMARY KEY,
    cause_kind text NOT NULL CHECK (cause_kind <> ''),
    cause_id text NOT NULL CHECK (cause_id <> ''),
    posted_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    written_by xid8 NOT NULL DEFAULT pg_current_xact_id(),
    CONSTRAINT ledger_one_per_cause UNIQUE (cause_kind, cause_id),
    UNIQUE (id, posted_at)
  );
  COMMENT ON COLUMN ledger_transactions.posted_at IS 'the moment of business; recorded_at is that of writing';
  COMMENT ON COLUMN ledger_transactions.written_by IS 'entries come in the same database transaction or never';

  CREATE TABLE ledger_entries (
    transaction_id bigint NOT NULL,
    line smallint NOT NULL,
    account text NOT NULL REFERENCES ledger_accounts,
    customer_id bigint,
    detail text NOT NULL DEFAULT '',
    currency char(3) NOT NULL CHECK (currency ~ '^[a-z]{3}$'),
    amount bigint NOT NULL CHECK (amount <> 0),
    posted_at timestamptz NOT NULL,
    PRIMARY KEY (transaction_id, line),
    FOREIGN KEY (transaction_id, posted_at) REFERENCES ledger_transactions (id, posted_at)
  );
  CREATE INDEX ledger_entries_account ON ledger_entries (account, currency, posted_at) INCLUDE (amount);
  CREATE INDEX ledger_entries_customer ON ledger_entries (customer_id, account, posted_at)
    WHERE customer_id IS NOT NULL;
  COMMENT ON COLUMN ledger_entries.amount IS 'debit above zero, credit below, in the unit of its account';
  COMMENT ON COLUMN ledger_entries.detail IS 'divides an account: the country of a tax';
`;

const RULES = `
  CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
  END $$;

  CREATE FUNCTION check_balanced() RETURNS trigger LANGUAGE plpgsql AS $$
  DECLARE
    entered bigint := CASE TG_TABLE_NAME WHEN 'ledger_entries' THEN (to_jsonb(NEW) ->> 'transaction_id')::bigint
                                         ELSE (to_jsonb(NEW) ->> 'id')::bigint END;
    lines bigint;
    unbalanced bigint;
  BEGIN
    SELECT sum(count), count(*) FILTER (WHERE total <> 0) INTO lines, unbalanced FROM (
      SELECT count(*) AS count, sum(e.amount::numeric * a.micro_per_unit) AS total
      FROM ledger_entries e JOIN ledger_accounts a ON a.code = e.account
      WHERE e.transaction_id = entered GROUP BY e.currency
    ) AS by_currency;
    IF lines IS NULL OR unbalanced > 0 THEN
      RAISE EXCEPTION 'ledger transaction % does not sum to zero', entered USING
        ERRCODE = 'check_violation', CONSTRAINT = 'ledger_sums_to_zero', TABLE = 'ledger_entries';
    END IF;
    RETURN NULL;
  END $$;

  CREATE FUNCTION check_entry() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    IF NOT EXISTS (SELECT 1 FROM ledger_transactions t
                   WHERE t.id = NEW.transaction_id AND t.written_by = pg_current_xact_id()) THEN
      RAISE EXCEPTION 'ledger transaction % is closed: nothing is added to it', NEW.transaction_id
        USING ERRCODE = 'restrict_violation';
    END IF;
    IF (NEW.customer_id IS NOT NULL) <> (SELECT of_customer FROM ledger_accounts WHERE code = NEW.account) THEN
      RAISE EXCEPTION 'ledger account % is kept by customer, or is not', NEW.account
        USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_entry_names_customer';
    END IF;
    RETURN NEW;
  END $$;

  CREATE TRIGGER ledger_entry_fits BEFORE INSERT ON ledger_entries FOR EACH ROW EXECUTE FUNCTION check_entry();
  CREATE CONSTRAINT TRIGGER ledger_sums_to_zero AFTER INSERT ON ledger_entries
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_balanced();
  CREATE CONSTRAINT TRIGGER ledger_not_empty AFTER INSERT ON ledger_transactions
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_balanced();

  CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_entries
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
  CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_transactions
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
  REVOKE UPDATE, DELETE, TRUNCATE ON ledger_entries, ledger_transactions FROM PUBLIC, CURRENT_USER;
  -- What a foreign key needs to lock the row that it points at.
  GRANT UPDATE (id) ON ledger_transactions TO CURRENT_USER;
`;

const CREDIT = `
  CREATE TABLE billing_accounts (
    account_id bigint PRIMARY KEY,
    currency char(3) NOT NULL CHECK (currency ~ '^[a-z]{3}$'),
    sealed_until timestamptz NOT NULL,
    billed_until timestamptz NOT NULL,
    tier text NOT NULL DEFAULT 'new' CHECK (tier IN ('new', 'paid_once', 'trusted')),
    CHECK (billed_until <= sealed_until)
  );
  COMMENT ON COLUMN billing_accounts.sealed_until IS 'no usage before this moment is added or changed any more';
  COMMENT ON COLUMN billing_accounts.billed_until IS 'usage before this moment has been invoiced';

  CREATE TABLE credit_lots (
    id bigint PRIMARY KEY,
    account_id bigint NOT NULL REFERENCES billing_accounts,
    currency char(3) NOT NULL,
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    source text NOT NULL CHECK (source IN ('payment', 'grant', 'promotion', 'refund')),
    note text NOT NULL DEFAULT '',
    granted_at timestamptz NOT NULL,
    expires_at timestamptz,
    cause_kind text NOT NULL,
    cause_id text NOT NULL,
    CHECK (expires_at > granted_at),
    CHECK (expires_at IS NULL OR source IN ('grant', 'promotion')),
    UNIQUE (cause_kind, cause_id)
  );
  CREATE INDEX credit_lots_account ON credit_lots (account_id);
  CREATE INDEX credit_lots_expiry ON credit_lots (expires_at) WHERE expires_at IS NOT NULL;

  CREATE TABLE credit_uses (
    lot_id bigint NOT NULL REFERENCES credit_lots,
    cause_kind text NOT NULL,
    cause_id text NOT NULL,
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    used_at timestamptz NOT NULL,
    PRIMARY KEY (lot_id, cause_kind, cause_id)
  );

  CREATE FUNCTION check_lot() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    IF (SELECT sum(u.amount_minor) FROM credit_uses u WHERE u.lot_id = NEW.lot_id)
       > (SELECT l.amount_minor FROM credit_lots l WHERE l.id = NEW.lot_id FOR UPDATE) THEN
      RAISE EXCEPTION 'more is used of credit % than was granted', NEW.lot_id
        USING ERRCODE = 'check_violation', CONSTRAINT = 'credit_lot_not_overdrawn';
    END IF;
    RETURN NULL;
  END $$;
  CREATE TRIGGER credit_lot_not_overdrawn AFTER INSERT ON credit_uses FOR EACH ROW EXECUTE FUNCTION check_lot();
  CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON credit_lots
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
  CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON credit_uses
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
  REVOKE UPDATE, DELETE, TRUNCATE ON credit_uses FROM PUBLIC, CURRENT_USER;
  REVOKE DELETE, TRUNCATE ON credit_lots FROM PUBLIC, CURRENT_USER;
`;

/** What was captured and refunded before there was a ledger. */
const CREDIT_SO_FAR = `
  INSERT INTO billing_accounts (account_id, currency, sealed_until, billed_until)
    SELECT account_id, min(currency), date_trunc('second', min(moment)), date_trunc('second', min(moment)) FROM (
      SELECT account_id, currency, created_at AS moment FROM credit_entries
      UNION ALL SELECT account_id, currency, opened_at FROM usage_spans
    ) AS known GROUP BY account_id;
  INSERT INTO ledger_transactions (id, cause_kind, cause_id, posted_at)
    SELECT id, cause, cause_id, created_at FROM credit_entries WHERE amount_minor <> 0;
  INSERT INTO ledger_entries (transaction_id, line, account, customer_id, currency, amount, posted_at)
    SELECT id, 1, 'stripe_clearing', NULL, currency, amount_minor, created_at FROM credit_entries
    WHERE amount_minor <> 0
    UNION ALL
    SELECT id, 2, 'customer_credit', account_id, currency, -amount_minor, created_at FROM credit_entries
    WHERE amount_minor <> 0;
  INSERT INTO credit_lots (id, account_id, currency, amount_minor, source, granted_at, cause_kind, cause_id)
    SELECT id, account_id, currency, amount_minor, 'payment', created_at, cause, cause_id
    FROM credit_entries WHERE amount_minor > 0;
  -- A refund names the hold that it pays back: its cause is the hold's id and a number of its own.
  INSERT INTO credit_uses (lot_id, cause_kind, cause_id, amount_minor, used_at)
    SELECT lot.id, refund.cause, refund.cause_id, -refund.amount_minor, refund.created_at
    FROM credit_entries refund JOIN credit_lots lot
      ON lot.cause_kind = 'hold_captured' AND lot.cause_id = split_part(refund.cause_id, '/', 1)
    WHERE refund.amount_minor < 0;
  SET CONSTRAINTS ALL IMMEDIATE;
  SET CONSTRAINTS ALL DEFERRED;
  DROP TABLE credit_entries;
`;
