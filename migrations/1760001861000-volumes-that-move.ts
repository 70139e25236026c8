import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Volumes that are brought from host to host, that a server has from its order on, and with XFS. */
export class VolumesThatMove1760001861000 implements MigrationInterface {
  name = 'VolumesThatMove1760001861000';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      ALTER TABLE volumes
        ADD COLUMN copy_id bigint,
        DROP CONSTRAINT volumes_format_check, DROP CONSTRAINT volumes_check1,
        ADD CONSTRAINT volumes_format_check CHECK (format IN ('ext4', 'xfs')),
        ADD CONSTRAINT volumes_had_are_there CHECK (server_id IS NULL OR deleted_at IS NULL);
      COMMENT ON COLUMN volumes.copy_id IS 'the saga that brought it to its host; null: it is where it was made';
      COMMENT ON COLUMN reservations.server_id IS
        'a server and what comes along to it, a test of a backup, a volume, or the saga that brings a volume to a host';
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`
      DO $$ BEGIN
        IF EXISTS (SELECT FROM volumes WHERE deleted_at IS NULL AND (copy_id IS NOT NULL OR format = 'xfs')) THEN
          RAISE EXCEPTION 'there are volumes that were moved, or have XFS, which the former release does not know: delete them first';
        END IF;
      END $$;
      UPDATE volumes SET format = NULL WHERE format = 'xfs';
      UPDATE volumes SET has_data = true WHERE server_id IS NOT NULL;
      ALTER TABLE volumes
        DROP COLUMN copy_id,
        DROP CONSTRAINT volumes_format_check, DROP CONSTRAINT volumes_had_are_there,
        ADD CONSTRAINT volumes_format_check CHECK (format = 'ext4'),
        ADD CONSTRAINT volumes_check1 CHECK (server_id IS NULL OR (has_data AND deleted_at IS NULL));
    `);
  }
}
