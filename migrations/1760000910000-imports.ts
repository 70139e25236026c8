import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Disks that customers bring along: files on their way here, and the images that are made of them. */
export class Imports1760000910000 implements MigrationInterface {
  name = 'Imports1760000910000';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE uploads (
        id bigint PRIMARY KEY,
        project_id bigint NOT NULL REFERENCES projects,
        length_bytes bigint,
        created_at timestamptz NOT NULL DEFAULT now(),
        expires_at timestamptz NOT NULL,
        image_id bigint UNIQUE
      );
      COMMENT ON COLUMN uploads.length_bytes IS 'of the whole file; null: not known before its end';
      COMMENT ON COLUMN uploads.image_id IS 'the import that has taken it; null: it waits for one, until it expires';
      CREATE INDEX uploads_of_project ON uploads (project_id);

      CREATE TABLE image_imports (
        image_id bigint PRIMARY KEY REFERENCES images,
        account_id bigint NOT NULL REFERENCES accounts,
        currency text NOT NULL,
        format text NOT NULL,
        upload_id bigint,
        sealed_url bytea,
        finished_at timestamptz,
        CHECK ((upload_id IS NULL) <> (sealed_url IS NULL) OR finished_at IS NOT NULL)
      );
      COMMENT ON COLUMN image_imports.sealed_url IS 'may carry a signature; forgotten at the end';

      ALTER TABLE images
        ADD COLUMN import_report jsonb,
        DROP CONSTRAINT images_of_catalog_or_project,
        ADD CONSTRAINT images_of_catalog_or_project CHECK (
          CASE WHEN type IN ('system', 'app') THEN project_id IS NULL AND server_id IS NULL AND sha256 IS NOT NULL
               ELSE project_id IS NOT NULL AND (server_id IS NOT NULL OR type = 'snapshot') END);
      COMMENT ON COLUMN images.import_report IS 'what was found in the file that it was made of; null: it was not imported';
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`
      DO $$ BEGIN
        IF EXISTS (SELECT FROM images JOIN image_imports ON image_id = id WHERE deleted_at IS NULL)
          OR EXISTS (SELECT FROM servers JOIN image_imports USING (image_id) WHERE deleted_at IS NULL) THEN
          RAISE EXCEPTION 'there are imported images, which the former release does not know: delete them first';
        END IF;
      END $$;
      DELETE FROM actions WHERE command = 'import_image';
      CREATE TEMP TABLE imported AS SELECT image_id AS id FROM image_imports;
      DROP TABLE image_imports, uploads;
      DELETE FROM host_images WHERE image_id IN (SELECT id FROM imported);
      DELETE FROM images i WHERE server_id IS NULL AND id IN (SELECT id FROM imported)
        AND NOT EXISTS (SELECT FROM servers WHERE image_id = i.id);
      UPDATE images i SET server_id = (SELECT min(s.id) FROM servers s WHERE s.image_id = i.id)
        WHERE server_id IS NULL AND id IN (SELECT id FROM imported);
      DROP TABLE imported;
      ALTER TABLE images
        DROP COLUMN import_report,
        DROP CONSTRAINT images_of_catalog_or_project,
        ADD CONSTRAINT images_of_catalog_or_project CHECK (
          CASE WHEN type IN ('system', 'app') THEN project_id IS NULL AND server_id IS NULL AND sha256 IS NOT NULL
               ELSE project_id IS NOT NULL AND server_id IS NOT NULL END);
    `);
  }
}
