import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Customers, cards and holds at the payment provider, the calls made to it and the events it sent. */
export class Payments1760000100000 implements MigrationInterface {
  name = 'Payments1760000100000';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE stripe_customers (
        account_id bigint PRIMARY KEY,
        provider_id text NOT NULL UNIQUE,
        created_at timestamptz NOT NULL DEFAULT now()
      );

      CREATE TABLE cards (
        id bigint PRIMARY KEY,
        account_id bigint NOT NULL,
        provider_id text NOT NULL UNIQUE,
        brand text NOT NULL,
        last4 text NOT NULL CHECK (last4 ~ '^[0-9]{4}$'),
        expiry_month integer NOT NULL CHECK (expiry_month BETWEEN 1 AND 12),
        expiry_year integer NOT NULL,
        is_default boolean NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        detached_at timestamptz
      );
      CREATE INDEX cards_account ON cards (account_id) WHERE detached_at IS NULL;
      CREATE UNIQUE INDEX cards_default ON cards (account_id) WHERE is_default AND detached_at IS NULL;

      CREATE TABLE card_setups (
        id bigint PRIMARY KEY,
        account_id bigint NOT NULL,
        provider_id text UNIQUE,
        status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'completed', 'expired')),
        created_at timestamptz NOT NULL DEFAULT now(),
        finished_at timestamptz
      );
      CREATE INDEX card_setups_open ON card_setups (created_at) WHERE status = 'open';

      CREATE TABLE holds (
        id bigint PRIMARY KEY,
        account_id bigint NOT NULL,
        order_id bigint NOT NULL UNIQUE,
        customer_id text NOT NULL,
        card_id text NOT NULL,
        provider_id text UNIQUE,
        amount_minor bigint NOT NULL CHECK (amount_minor > 0),
        currency text NOT NULL CHECK (currency ~ '^[a-z]{3}$'),
        status text NOT NULL DEFAULT 'requested' CHECK (status IN
          ('requested', 'requires_action', 'authorized', 'captured', 'cancelled', 'declined')),
        captured_minor bigint NOT NULL DEFAULT 0 CHECK (captured_minor BETWEEN 0 AND amount_minor),
        refunded_minor bigint NOT NULL DEFAULT 0 CHECK (refunded_minor BETWEEN 0 AND captured_minor),
        failure_code text,
        action_url text,
        release_requested_at timestamptz,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        CHECK ((status = 'captured') = (captured_minor > 0))
      );
      CREATE INDEX holds_account ON holds (account_id);
      CREATE INDEX holds_open ON holds (updated_at) WHERE status IN ('requested', 'requires_action', 'authorized');
      COMMENT ON COLUMN holds.provider_id IS 'stored before money is asked for';
      COMMENT ON COLUMN holds.release_requested_at IS 'from here on nothing may authorize or capture it';

      CREATE TABLE released_orders (
        order_id bigint PRIMARY KEY,
        released_at timestamptz NOT NULL DEFAULT now()
      );
      COMMENT ON TABLE released_orders IS 'given up before they had a hold: they get none';

      CREATE TABLE payment_calls (
        idempotency_key text PRIMARY KEY,
        kind text NOT NULL,
        subject_id bigint NOT NULL,
        attempt integer NOT NULL CHECK (attempt >= 1),
        request jsonb NOT NULL,
        begun_at timestamptz NOT NULL DEFAULT now(),
        answered_at timestamptz,
        error_code text,
        is_spent boolean NOT NULL DEFAULT false,
        UNIQUE (kind, subject_id, attempt)
      );
      COMMENT ON COLUMN payment_calls.is_spent IS 'the provider would repeat its failure for this key';

      CREATE TABLE stripe_events (
        id text PRIMARY KEY,
        type text NOT NULL,
        subject_kind text NOT NULL,
        subject_id text,
        payload text,
        occurred_at timestamptz NOT NULL,
        received_at timestamptz NOT NULL DEFAULT now(),
        processed_at timestamptz,
        tries integer NOT NULL DEFAULT 0,
        next_try_at timestamptz NOT NULL DEFAULT now(),
        error text
      );
      CREATE INDEX stripe_events_due ON stripe_events (next_try_at) WHERE processed_at IS NULL;
      CREATE INDEX stripe_events_occurred ON stripe_events (occurred_at);
      COMMENT ON COLUMN stripe_events.payload IS 'as received; null when found by the repair sweep';
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(
      'DROP TABLE stripe_events, payment_calls, released_orders, holds, card_setups, cards, stripe_customers',
    );
  }
}
