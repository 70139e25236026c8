import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What a guest held in memory when its disk was frozen, kept beside it. */
export class Memory1760001350000 implements MigrationInterface {
  name = 'Memory1760001350000';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      ALTER TABLE frozen_disks ADD COLUMN memory_volume_name text;
      COMMENT ON COLUMN frozen_disks.memory_volume_name IS 'null: none was kept, or it is gone';
      ALTER TABLE images ADD COLUMN memory_bytes bigint CHECK (memory_bytes > 0);
      COMMENT ON COLUMN images.memory_bytes IS 'part of file_size_bytes; null: it has no memory';
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`
      ALTER TABLE images DROP COLUMN memory_bytes;
      ALTER TABLE frozen_disks DROP COLUMN memory_volume_name;
    `);
  }
}
