import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Accounts that have not paid: since when, and how far the ladder has come with them. */
export class Arrears1760000620000 implements MigrationInterface {
  name = 'Arrears1760000620000';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      ALTER TABLE billing_settings
        ADD COLUMN retry_hours integer NOT NULL DEFAULT 20 CHECK (retry_hours > 0),
        ADD COLUMN first_warning_days integer NOT NULL DEFAULT 3 CHECK (first_warning_days >= 0),
        ADD COLUMN last_warning_days integer NOT NULL DEFAULT 6,
        ADD COLUMN suspension_days integer NOT NULL DEFAULT 7,
        ADD COLUMN soft_deletion_days integer NOT NULL DEFAULT 21,
        ADD COLUMN purge_days integer NOT NULL DEFAULT 28,
        ADD CONSTRAINT billing_settings_ladder CHECK (first_warning_days < last_warning_days
          AND last_warning_days < suspension_days AND suspension_days < soft_deletion_days
          AND soft_deletion_days < purge_days);
      COMMENT ON COLUMN billing_settings.retry_hours IS 'between two tries to collect what a bank refused for now';
      COMMENT ON COLUMN billing_settings.first_warning_days IS 'days since an account has not paid, as all of the ladder';

      CREATE TABLE arrears (
        id bigint PRIMARY KEY,
        account_id bigint NOT NULL REFERENCES billing_accounts,
        since timestamptz NOT NULL,
        is_hard boolean NOT NULL,
        retry_at timestamptz,
        step text CHECK (step IN
          ('unpaid', 'first_warning', 'last_warning', 'suspension', 'soft_deletion', 'purge')),
        next_at timestamptz,
        closed_at timestamptz CHECK (closed_at >= since),
        CHECK (step <> 'purge' OR next_at IS NULL)
      );
      CREATE UNIQUE INDEX arrears_one_open ON arrears (account_id) WHERE closed_at IS NULL;
      CREATE INDEX arrears_next ON arrears (next_at) WHERE closed_at IS NULL;
      CREATE INDEX arrears_retry ON arrears (retry_at) WHERE closed_at IS NULL;
      COMMENT ON COLUMN arrears.step IS 'the last one that was taken';
      COMMENT ON COLUMN arrears.next_at IS 'when the one after it is due; null when there is none';
      COMMENT ON COLUMN arrears.is_hard IS 'the bank will not change its mind: the same card is not tried again';

      CREATE TABLE arrears_invoices (
        arrears_id bigint NOT NULL REFERENCES arrears,
        invoice_id bigint NOT NULL REFERENCES invoices,
        PRIMARY KEY (arrears_id, invoice_id)
      );
      CREATE TABLE arrears_steps (
        arrears_id bigint NOT NULL REFERENCES arrears,
        step text NOT NULL,
        taken_at timestamptz NOT NULL,
        PRIMARY KEY (arrears_id, step)
      );
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`
      DROP TABLE arrears_steps, arrears_invoices, arrears;
      ALTER TABLE billing_settings DROP COLUMN retry_hours, DROP COLUMN first_warning_days,
        DROP COLUMN last_warning_days, DROP COLUMN suspension_days, DROP COLUMN soft_deletion_days,
        DROP COLUMN purge_days;
    `);
  }
}
