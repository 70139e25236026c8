import type { MigrationInterface, QueryRunner } from 'typeorm';

/** From when on a plan has made no backup, so that who relies on one can be told. */
export class OverdueBackups1760001863000 implements MigrationInterface {
  name = 'OverdueBackups1760001863000';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      ALTER TABLE backup_plans ADD COLUMN none_since timestamptz NOT NULL DEFAULT now();
      COMMENT ON COLUMN backup_plans.none_since IS 'of when its newest backup is; before the first, when the plan was made or changed';
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('ALTER TABLE backup_plans DROP COLUMN none_since');
  }
}
