import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What cooked images are made of, as their papers say. */
export class ImageContents1760001800000 implements MigrationInterface {
  name = 'ImageContents1760001800000';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE image_packages (
        image_id bigint NOT NULL REFERENCES images ON DELETE CASCADE,
        name text COLLATE "C" NOT NULL,
        version text NOT NULL,
        architecture text NOT NULL,
        source text COLLATE "C" NOT NULL,
        sha256 char(64) NOT NULL,
        PRIMARY KEY (image_id, name)
      );
      COMMENT ON COLUMN image_packages.source IS 'the source package that it was built from';
      COMMENT ON COLUMN image_packages.sha256 IS 'of the .deb';

      CREATE TABLE image_sboms (
        image_id bigint PRIMARY KEY REFERENCES images ON DELETE CASCADE,
        document text NOT NULL
      );
      COMMENT ON COLUMN image_sboms.document IS 'CycloneDX 1.6, to the byte as it was cooked';
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP TABLE image_sboms, image_packages');
  }
}
