import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What an owner guards a server against, themselves and their tools included. */
export class ServerProtection1760001510000 implements MigrationInterface {
  name = 'ServerProtection1760001510000';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      ALTER TABLE servers ADD COLUMN is_delete_protected boolean NOT NULL DEFAULT false,
                          ADD COLUMN is_rebuild_protected boolean NOT NULL DEFAULT false;
      COMMENT ON COLUMN servers.is_rebuild_protected IS 'neither rebuilt nor rolled back';
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('ALTER TABLE servers DROP COLUMN is_delete_protected, DROP COLUMN is_rebuild_protected');
  }
}
