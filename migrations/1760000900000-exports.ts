import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Disks that are taken home as files, and actions on what is no server. */
export class Exports1760000900000 implements MigrationInterface {
  name = 'Exports1760000900000';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE exports (
        id bigint PRIMARY KEY,
        account_id bigint NOT NULL REFERENCES accounts,
        project_id bigint NOT NULL REFERENCES projects,
        server_id bigint REFERENCES servers,
        image_id bigint,
        source_name text NOT NULL,
        host_id bigint REFERENCES hosts ON DELETE SET NULL,
        frozen_disk_id bigint,
        begun_at timestamptz,
        format text NOT NULL CHECK (format IN ('qcow2', 'raw', 'vmdk', 'ova')),
        state text NOT NULL DEFAULT 'creating' CHECK (state IN ('creating', 'available', 'failed', 'expired')),
        progress integer NOT NULL DEFAULT 0 CHECK (progress BETWEEN 0 AND 100),
        file_name text,
        size_bytes bigint,
        sha256 char(64),
        error_code text,
        error_message text,
        created_at timestamptz NOT NULL DEFAULT now(),
        finished_at timestamptz,
        expires_at timestamptz,
        deleted_at timestamptz,
        CHECK (num_nonnulls(server_id, image_id) = 1),
        CHECK (state <> 'available' OR num_nulls(file_name, size_bytes, sha256, expires_at) = 0)
      );
      COMMENT ON COLUMN exports.frozen_disk_id IS 'what is read; it may be about to be frozen';
      COMMENT ON COLUMN exports.begun_at IS 'since when it has its turn to be copied';
      CREATE INDEX exports_of_project ON exports (project_id, created_at);
      CREATE INDEX exports_reading ON exports (frozen_disk_id) WHERE state = 'creating';
      CREATE INDEX exports_expiring ON exports (expires_at) WHERE state = 'available';

      ALTER TABLE actions
        ALTER COLUMN server_id DROP NOT NULL,
        ADD COLUMN export_id bigint;
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`
      DO $$ BEGIN
        IF EXISTS (SELECT FROM exports WHERE state = 'creating') THEN
          RAISE EXCEPTION 'there are exports in the making, which the former release does not know: let them end first';
        END IF;
      END $$;
      DELETE FROM actions WHERE server_id IS NULL;
      ALTER TABLE actions DROP COLUMN export_id, ALTER COLUMN server_id SET NOT NULL;
      DROP TABLE exports;
    `);
  }
}
