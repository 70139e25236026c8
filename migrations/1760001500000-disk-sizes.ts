import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A server's disk may be smaller than its type's: it has been changed to a larger one without growing it. */
export class DiskSizes1760001500000 implements MigrationInterface {
  name = 'DiskSizes1760001500000';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      ALTER TABLE servers ADD COLUMN disk_gib integer CHECK (disk_gib > 0);
      UPDATE servers s SET disk_gib = t.disk_gib FROM server_types t WHERE t.id = s.server_type_id;
      ALTER TABLE servers ALTER disk_gib SET NOT NULL;
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('ALTER TABLE servers DROP COLUMN disk_gib');
  }
}
