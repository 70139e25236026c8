import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What servers are rescued from: an image that no catalog shows, and each time that somebody wants it. */
export class Rescue1760001600000 implements MigrationInterface {
  name = 'Rescue1760001600000';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      ALTER TABLE images
        DROP CONSTRAINT images_type_check,
        ADD CONSTRAINT images_type_check CHECK (type IN ('system', 'app', 'snapshot', 'backup', 'rescue')),
        DROP CONSTRAINT images_of_catalog_or_project,
        ADD CONSTRAINT images_of_catalog_or_project CHECK (
          CASE WHEN type IN ('system', 'app', 'rescue')
               THEN project_id IS NULL AND server_id IS NULL AND sha256 IS NOT NULL
               ELSE project_id IS NOT NULL AND (server_id IS NOT NULL OR type = 'snapshot') END);

      ALTER TABLE server_secrets
        DROP CONSTRAINT server_secrets_kind_check,
        ADD CONSTRAINT server_secrets_kind_check CHECK (
          kind IN ('root_password', 'pending_password', 'host_key', 'user_data', 'application', 'pending_application',
                   'rescue_password', 'rescue_host_key'));

      CREATE TABLE rescues (
        id bigint PRIMARY KEY,
        server_id bigint NOT NULL REFERENCES servers,
        image_id bigint NOT NULL REFERENCES images,
        ssh_public_keys text[] NOT NULL DEFAULT '{}',
        host_key text,
        created_at timestamptz NOT NULL DEFAULT now(),
        enabled_at timestamptz,
        expires_at timestamptz,
        booted_at timestamptz,
        ended_at timestamptz,
        removed_at timestamptz,
        CHECK ((enabled_at IS NULL) = (expires_at IS NULL)),
        CHECK (removed_at IS NULL OR ended_at IS NOT NULL)
      );
      COMMENT ON COLUMN rescues.enabled_at IS 'since then the next boot of the server is from it';
      COMMENT ON COLUMN rescues.expires_at IS 'when it ends where the server has not booted from it';
      COMMENT ON COLUMN rescues.ended_at IS 'the server boots from its own disk, or from another one, since or from its next boot on';
      COMMENT ON COLUMN rescues.removed_at IS 'its disk and seed are gone';
      CREATE UNIQUE INDEX rescues_waiting ON rescues (server_id)
        WHERE enabled_at IS NOT NULL AND booted_at IS NULL AND ended_at IS NULL;
      CREATE UNIQUE INDEX rescues_running ON rescues (server_id) WHERE booted_at IS NOT NULL AND ended_at IS NULL;
      CREATE INDEX rescues_to_remove ON rescues (server_id) WHERE removed_at IS NULL;
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`
      DO $$ BEGIN
        IF EXISTS (SELECT FROM rescues WHERE removed_at IS NULL) THEN
          RAISE EXCEPTION 'there are servers in their rescue system, which the former release does not know: start them from their disks first';
        END IF;
      END $$;
      DROP TABLE rescues;
      DELETE FROM host_images WHERE image_id IN (SELECT id FROM images WHERE type = 'rescue');
      DELETE FROM images WHERE type = 'rescue';
      DELETE FROM server_secrets WHERE kind IN ('rescue_password', 'rescue_host_key');
      ALTER TABLE server_secrets
        DROP CONSTRAINT server_secrets_kind_check,
        ADD CONSTRAINT server_secrets_kind_check
          CHECK (kind IN ('root_password', 'pending_password', 'host_key', 'user_data', 'application',
                          'pending_application'));
      ALTER TABLE images
        DROP CONSTRAINT images_type_check,
        ADD CONSTRAINT images_type_check CHECK (type IN ('system', 'app', 'snapshot', 'backup')),
        DROP CONSTRAINT images_of_catalog_or_project,
        ADD CONSTRAINT images_of_catalog_or_project CHECK (
          CASE WHEN type IN ('system', 'app') THEN project_id IS NULL AND server_id IS NULL AND sha256 IS NOT NULL
               ELSE project_id IS NOT NULL AND (server_id IS NOT NULL OR type = 'snapshot') END);
    `);
  }
}
