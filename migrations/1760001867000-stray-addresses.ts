import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Addresses that machines have which the database has forgotten, so that nobody else gets them. */
export class StrayAddresses1760001867000 implements MigrationInterface {
  name = 'StrayAddresses1760001867000';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE stray_addresses (
        ip inet PRIMARY KEY REFERENCES addresses ON DELETE CASCADE,
        host_id bigint NOT NULL REFERENCES hosts ON DELETE CASCADE,
        domain_uuid uuid NOT NULL
      );
      COMMENT ON TABLE stray_addresses IS
        'what domains with our mark send from that no server owns: ordered after the backup that was restored';
      CREATE INDEX stray_addresses_host ON stray_addresses (host_id);
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP TABLE stray_addresses');
  }
}
