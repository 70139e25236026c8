import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Which key an installation seals its secrets with, so that a program with another one is noticed at once. */
export class SecretKey1760001866000 implements MigrationInterface {
  name = 'SecretKey1760001866000';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      ALTER TABLE installation ADD COLUMN secret_key_id bytea;
      COMMENT ON COLUMN installation.secret_key_id IS
        'first 4 bytes of a digest of the key that secrets are sealed with; null until a program has started with one';
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('ALTER TABLE installation DROP COLUMN secret_key_id');
  }
}
