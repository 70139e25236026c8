import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What the shop window says of a cooked image beyond its recipe: when it was cooked and verified, and how it looks. */
export class ShopWindow1760001810000 implements MigrationInterface {
  name = 'ShopWindow1760001810000';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      ALTER TABLE images ADD COLUMN cooked_at timestamptz, ADD COLUMN verified_at timestamptz;
      COMMENT ON COLUMN images.cooked_at IS 'null: nobody cooked it, or it was published before this was written down';
      COMMENT ON COLUMN images.verified_at IS
        'when these bytes were last booted and used as their clients would; null: it is not known that they were';

      CREATE TABLE image_screenshots (
        image_id bigint PRIMARY KEY REFERENCES images ON DELETE CASCADE,
        png bytea NOT NULL
      );
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`
      DROP TABLE image_screenshots;
      ALTER TABLE images DROP COLUMN verified_at, DROP COLUMN cooked_at;
    `);
  }
}
