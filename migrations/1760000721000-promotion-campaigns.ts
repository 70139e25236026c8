import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Operators see which codes they have made, and when. */
export class PromotionCampaigns1760000721000 implements MigrationInterface {
  name = 'PromotionCampaigns1760000721000';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`ALTER TABLE promotion_codes ADD COLUMN created_at timestamptz NOT NULL DEFAULT now()`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`ALTER TABLE promotion_codes DROP COLUMN created_at`);
  }
}
