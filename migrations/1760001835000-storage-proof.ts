import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Since when it is proven which storage a host shows, and a way from one host of a storage to the others. */
export class StorageProof1760001835000 implements MigrationInterface {
  name = 'StorageProof1760001835000';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      ALTER TABLE hosts ADD COLUMN storage_proven_at timestamptz;
      COMMENT ON COLUMN hosts.storage_proven_at IS 'null: to be proven when the host is looked at next';
      CREATE INDEX hosts_of_storage ON hosts (storage_id);
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP INDEX hosts_of_storage; ALTER TABLE hosts DROP COLUMN storage_proven_at');
  }
}
