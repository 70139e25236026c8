import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Each movement of our balance at the provider, and how far the sweep over them has come. */
export class BalanceMovements1760000770000 implements MigrationInterface {
  name = 'BalanceMovements1760000770000';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE balance_movements (
        id text PRIMARY KEY,
        kind text NOT NULL
          CHECK (kind IN ('payment', 'refund', 'refund_failure', 'dispute', 'payout', 'fee', 'other')),
        type text NOT NULL,
        amount_minor bigint NOT NULL,
        fee_minor bigint NOT NULL,
        currency char(3) NOT NULL CHECK (currency ~ '^[a-z]{3}$'),
        source_id text,
        payment_id text,
        created_at timestamptz NOT NULL,
        looked_at timestamptz
      );
      CREATE INDEX balance_movements_unseen ON balance_movements (source_id)
        WHERE kind = 'refund_failure' AND looked_at IS NULL;
      COMMENT ON COLUMN balance_movements.amount_minor IS 'before the fee; above zero comes in';
      COMMENT ON COLUMN balance_movements.looked_at IS 'when a refund that came back was brought into the books';
      REVOKE UPDATE, DELETE, TRUNCATE ON balance_movements FROM PUBLIC, CURRENT_USER;
      GRANT UPDATE (looked_at) ON balance_movements TO CURRENT_USER;

      CREATE TABLE balance_sweep (
        is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
        swept_to timestamptz,
        began_at timestamptz,
        since timestamptz,
        last_seen text
      );
      INSERT INTO balance_sweep DEFAULT VALUES;
      COMMENT ON COLUMN balance_sweep.swept_to IS 'every movement before it is known';
      COMMENT ON COLUMN balance_sweep.last_seen IS 'the movement at which a sweep that is under way goes on';

      INSERT INTO ledger_accounts (code, side, unit, of_customer, title) VALUES
        ('paid_out',           'asset',   'minor', false, 'Paid out by Stripe to our bank'),
        ('stripe_adjustments', 'expense', 'minor', false, 'What Stripe has moved for reasons of its own');
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`
      ALTER TABLE ledger_accounts DISABLE TRIGGER append_only;
      DELETE FROM ledger_accounts WHERE code IN ('paid_out', 'stripe_adjustments');
      ALTER TABLE ledger_accounts ENABLE TRIGGER append_only;
      DROP TABLE balance_sweep, balance_movements;
    `);
  }
}
