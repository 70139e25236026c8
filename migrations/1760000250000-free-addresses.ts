import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Each order asks for the address that has been free for longest: found without a look at the whole pool. */
export class FreeAddresses1760000250000 implements MigrationInterface {
  name = 'FreeAddresses1760000250000';

  async up(db: QueryRunner): Promise<void> {
    await db.query(
      'CREATE INDEX addresses_free ON addresses (location_id, released_at NULLS FIRST, ip) WHERE server_id IS NULL',
    );
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP INDEX addresses_free');
  }
}
