import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Since when it is proven which storage a host shows, and ways to hosts and disks by what they share. */
export class StorageProof1760001835000 implements MigrationInterface {
  name = 'StorageProof1760001835000';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      ALTER TABLE hosts ADD COLUMN storage_proven_at timestamptz;
      COMMENT ON COLUMN hosts.storage_proven_at IS 'null: to be proven when the host is looked at next';
      CREATE INDEX hosts_of_storage ON hosts (storage_id);
      -- Servers stand on images beneath disks that are gone by now.
      DROP INDEX frozen_disks_of_golden_image;
      CREATE INDEX frozen_disks_of_golden_image ON frozen_disks (golden_image_id);
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`
      DROP INDEX frozen_disks_of_golden_image;
      CREATE INDEX frozen_disks_of_golden_image ON frozen_disks (golden_image_id) WHERE removed_at IS NULL;
      ALTER TABLE hosts DROP COLUMN storage_proven_at;
      DROP INDEX IF EXISTS hosts_of_storage;
    `);
  }
}
