import type { MigrationInterface, QueryRunner } from 'typeorm';

/** How far the sweep over the provider's events has come, and events by what they are about in wider words. */
export class ProviderSweeps1760000500000 implements MigrationInterface {
  name = 'ProviderSweeps1760000500000';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE provider_sweeps (
        is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
        swept_to timestamptz NOT NULL
      );
      COMMENT ON COLUMN provider_sweeps.swept_to IS 'every event before it is known, whatever webhooks were lost';
      UPDATE stripe_events SET subject_kind = 'payment' WHERE subject_kind = 'hold';
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`
      UPDATE stripe_events SET subject_kind = 'hold' WHERE subject_kind = 'payment';
      DROP TABLE provider_sweeps;
    `);
  }
}
