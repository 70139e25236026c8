import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What of our invoices the provider collects, how an account pays, and credit that is paid in. */
export class Collecting1760000600000 implements MigrationInterface {
  name = 'Collecting1760000600000';

  async up(db: QueryRunner): Promise<void> {
    await db.query(PAYING);
    await db.query(COLLECTIONS);
    await db.query(TOP_UPS);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`
      DROP INDEX ledger_transactions_object;
      DROP TABLE card_refunds, top_ups, collection_parts, collections;
      ALTER TABLE billing_accounts DROP CONSTRAINT billing_accounts_terms, DROP CONSTRAINT billing_accounts_recharge,
        DROP COLUMN paying, DROP COLUMN terms_days, DROP COLUMN recharge_below_minor,
        DROP COLUMN recharge_amount_minor, DROP COLUMN recharge_armed;
    `);
  }
}

const PAYING = `
  ALTER TABLE billing_accounts
    ADD COLUMN paying text NOT NULL DEFAULT 'card' CHECK (paying IN ('card', 'prepaid', 'terms')),
    ADD COLUMN terms_days integer CHECK (terms_days BETWEEN 1 AND 365),
    ADD COLUMN recharge_below_minor bigint CHECK (recharge_below_minor > 0),
    ADD COLUMN recharge_amount_minor bigint CHECK (recharge_amount_minor >= 50),
    ADD COLUMN recharge_armed boolean NOT NULL DEFAULT true,
    ADD CONSTRAINT billing_accounts_terms CHECK ((paying = 'terms') = (terms_days IS NOT NULL)),
    ADD CONSTRAINT billing_accounts_recharge
      CHECK ((recharge_below_minor IS NULL) = (recharge_amount_minor IS NULL));
  COMMENT ON COLUMN billing_accounts.paying IS
    'card: invoices are charged to the card; prepaid: nothing is made without credit; terms: within terms_days';
  COMMENT ON COLUMN billing_accounts.recharge_armed IS
    'true once credit stood above the mark: falling below it recharges, and disarms until it stands above it again';
`;

const COLLECTIONS = `
  CREATE TABLE collections (
    id bigint PRIMARY KEY,
    account_id bigint NOT NULL REFERENCES billing_accounts,
    invoice_id bigint NOT NULL REFERENCES invoices,
    round integer NOT NULL CHECK (round > 0),
    currency char(3) NOT NULL,
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    terms_days integer CHECK (terms_days > 0),
    customer_id text,
    provider_id text UNIQUE,
    payment_id text,
    status text NOT NULL DEFAULT 'requested'
      CHECK (status IN ('requested', 'draft', 'open', 'paid', 'uncollectible', 'void')),
    decline_code text,
    is_decline_final boolean,
    action_url text,
    page_url text,
    pdf_url text,
    next_attempt_at timestamptz,
    due_at timestamptz,
    requested_at timestamptz NOT NULL,
    seen_at timestamptz,
    withdrawn_at timestamptz,
    tried_card text,
    UNIQUE (invoice_id, round)
  );
  CREATE INDEX collections_account ON collections (account_id);
  CREATE INDEX collections_payment ON collections (payment_id) WHERE payment_id IS NOT NULL;
  COMMENT ON TABLE collections IS
    'an invoice at the provider, which asks for what is open of one or more of ours: which is the tax document';
  COMMENT ON COLUMN collections.id IS 'follows from account, period and round, and so do the keys of its calls';
  COMMENT ON COLUMN collections.withdrawn_at IS
    'it asks for what is not owed in that way any more: it is voided, and that is no loss';

  CREATE TABLE collection_parts (
    collection_id bigint NOT NULL REFERENCES collections,
    invoice_id bigint NOT NULL REFERENCES invoices,
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    call_id bigint NOT NULL UNIQUE,
    PRIMARY KEY (collection_id, invoice_id)
  );
  CREATE INDEX collection_parts_invoice ON collection_parts (invoice_id);
  CREATE INDEX ledger_transactions_object ON ledger_transactions (split_part(cause_id, '/', 1));
  COMMENT ON COLUMN collection_parts.call_id IS 'by which the call that adds its line is known';

  CREATE TABLE card_refunds (
    id bigint PRIMARY KEY,
    credit_note_id bigint NOT NULL REFERENCES credit_notes,
    payment_id text NOT NULL,
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    provider_id text UNIQUE,
    sent_at timestamptz,
    UNIQUE (credit_note_id, payment_id)
  );
  COMMENT ON TABLE card_refunds IS 'what of a credit note goes back to which payment';
`;

const TOP_UPS = `
  CREATE TABLE top_ups (
    id bigint PRIMARY KEY,
    account_id bigint NOT NULL,
    kind text NOT NULL CHECK (kind IN ('page', 'recharge')),
    currency char(3) NOT NULL,
    amount_minor bigint NOT NULL CHECK (amount_minor >= 50),
    provider_id text UNIQUE,
    payment_id text UNIQUE,
    status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'processing', 'paid', 'failed', 'expired')),
    decline_code text,
    tried_card text,
    created_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz
  );
  CREATE INDEX top_ups_account ON top_ups (account_id);
  CREATE UNIQUE INDEX top_ups_one_recharge ON top_ups (account_id)
    WHERE kind = 'recharge' AND status IN ('open', 'processing');
  COMMENT ON COLUMN top_ups.provider_id IS 'the page; a recharge has none, only a payment';
`;
