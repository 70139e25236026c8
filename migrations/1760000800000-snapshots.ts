import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Disks that were frozen, what stands on which of them, and the images that are made of them: snapshots and backups,
 * which belong to a project.
 */
export class Snapshots1760000800000 implements MigrationInterface {
  name = 'Snapshots1760000800000';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE frozen_disks (
        id bigint PRIMARY KEY,
        server_id bigint NOT NULL REFERENCES servers,
        host_id bigint NOT NULL REFERENCES hosts,
        volume_name text NOT NULL,
        stands_on bigint REFERENCES frozen_disks,
        consistency text NOT NULL CHECK (consistency IN ('filesystem', 'crash', 'as_left')),
        frozen_at timestamptz NOT NULL DEFAULT now(),
        removed_at timestamptz,
        UNIQUE (host_id, volume_name)
      );
      COMMENT ON COLUMN frozen_disks.stands_on IS 'null: on a golden image alone';
      CREATE INDEX frozen_disks_standing ON frozen_disks (stands_on) WHERE removed_at IS NULL;

      ALTER TABLE servers ADD COLUMN stands_on bigint REFERENCES frozen_disks;
      COMMENT ON COLUMN servers.stands_on IS 'what its disk stands on; null: on a golden image alone';
      CREATE INDEX servers_standing ON servers (stands_on) WHERE stands_on IS NOT NULL;

      ALTER TABLE images
        DROP CONSTRAINT images_type_check,
        ADD CONSTRAINT images_type_check CHECK (type IN ('system', 'app', 'snapshot', 'backup')),
        ALTER COLUMN sha256 DROP NOT NULL,
        ADD COLUMN project_id bigint REFERENCES projects,
        ADD COLUMN frozen_disk_id bigint REFERENCES frozen_disks,
        ADD COLUMN server_id bigint REFERENCES servers,
        ADD COLUMN server_name text,
        ADD COLUMN status text NOT NULL DEFAULT 'available' CHECK (status IN ('creating', 'available', 'unavailable')),
        ADD COLUMN description text,
        ADD COLUMN labels jsonb NOT NULL DEFAULT '{}',
        ADD COLUMN is_delete_protected boolean NOT NULL DEFAULT false,
        ADD COLUMN deleted_at timestamptz,
        DROP CONSTRAINT images_volume_name_key,
        ADD CONSTRAINT images_of_catalog_or_project CHECK (
          CASE WHEN type IN ('system', 'app') THEN project_id IS NULL AND server_id IS NULL AND sha256 IS NOT NULL
               ELSE project_id IS NOT NULL AND server_id IS NOT NULL END);
      CREATE UNIQUE INDEX images_volume_name ON images (volume_name) WHERE project_id IS NULL;
      CREATE INDEX images_of_project ON images (project_id) WHERE project_id IS NOT NULL;
      CREATE INDEX images_of_frozen_disk ON images (frozen_disk_id) WHERE frozen_disk_id IS NOT NULL;
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`
      DO $$ BEGIN
        IF EXISTS (SELECT FROM frozen_disks WHERE removed_at IS NULL) THEN
          RAISE EXCEPTION 'there are frozen disks, which the former release would delete: delete the snapshots first';
        END IF;
      END $$;
      DELETE FROM host_images WHERE image_id IN (SELECT id FROM images WHERE project_id IS NOT NULL);
      DELETE FROM images i WHERE project_id IS NOT NULL AND NOT EXISTS (SELECT FROM servers WHERE image_id = i.id);
      ALTER TABLE images
        DROP CONSTRAINT images_of_catalog_or_project,
        DROP COLUMN project_id, DROP COLUMN frozen_disk_id, DROP COLUMN server_id,
        DROP COLUMN server_name, DROP COLUMN status,
        DROP COLUMN description, DROP COLUMN labels, DROP COLUMN is_delete_protected, DROP COLUMN deleted_at,
        ALTER COLUMN sha256 SET NOT NULL,
        ADD CONSTRAINT images_volume_name_key UNIQUE (volume_name),
        DROP CONSTRAINT images_type_check,
        ADD CONSTRAINT images_type_check CHECK (type IN ('system', 'app'));
      ALTER TABLE servers DROP COLUMN stands_on;
      DROP TABLE frozen_disks;
    `);
  }
}
