import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What a customer wants to spend in a month at most, and which warnings of it were sent. */
export class SpendingLimits1760000660000 implements MigrationInterface {
  name = 'SpendingLimits1760000660000';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE spending_limits (
        account_id bigint PRIMARY KEY,
        amount_minor bigint NOT NULL CHECK (amount_minor > 0),
        is_hard boolean NOT NULL,
        alert_percents integer[] NOT NULL CHECK (alert_percents <@ ARRAY[50, 80, 100])
      );
      COMMENT ON COLUMN spending_limits.amount_minor IS 'of a UTC month, tax included, in the currency of the account';
      COMMENT ON COLUMN spending_limits.is_hard IS 'new orders are refused when it is reached; what runs goes on';

      CREATE TABLE spending_alerts (
        account_id bigint NOT NULL,
        month timestamptz NOT NULL,
        percent integer NOT NULL,
        limit_minor bigint NOT NULL,
        spent_minor bigint NOT NULL,
        noticed_at timestamptz NOT NULL,
        PRIMARY KEY (account_id, month, percent)
      );
      COMMENT ON TABLE spending_alerts IS 'marks of a month that were reached: each is told once';
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP TABLE spending_alerts, spending_limits');
  }
}
