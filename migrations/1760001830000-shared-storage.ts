import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Which hosts show one and the same storage, and what the disks that were frozen there stand on in the end. */
export class SharedStorage1760001830000 implements MigrationInterface {
  name = 'SharedStorage1760001830000';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      ALTER TABLE hosts ADD COLUMN storage_id uuid, ADD COLUMN disk_pool_path text, ADD COLUMN image_pool_path text;
      COMMENT ON COLUMN hosts.storage_id IS 'of the storage behind its disk pool, as it was last seen; null: not known';

      CREATE VIEW storage_peers AS
        SELECT a.id AS host_id, b.id AS peer_id FROM hosts a JOIN hosts b
          ON (a.storage_id, a.disk_pool_path, a.image_pool_path) = (b.storage_id, b.disk_pool_path, b.image_pool_path);
      COMMENT ON VIEW storage_peers IS 'hosts where the disks of a host can be stood on: disks name by path what they stand on';

      ALTER TABLE frozen_disks
        ADD COLUMN golden_image_id bigint REFERENCES images,
        ALTER COLUMN host_id DROP NOT NULL,
        ADD CONSTRAINT frozen_disks_somewhere CHECK (host_id IS NOT NULL OR removed_at IS NOT NULL);
      COMMENT ON COLUMN frozen_disks.host_id IS 'that keeps it; its peers may use it. null: it is gone, and the host forgotten';
      COMMENT ON COLUMN frozen_disks.golden_image_id IS 'what the disks beneath it end in; null: not noted';
      CREATE INDEX frozen_disks_of_golden_image ON frozen_disks (golden_image_id) WHERE removed_at IS NULL;
      WITH RECURSIVE of AS (
        SELECT id AS disk_id, image_id FROM frozen_disks WHERE image_id IS NOT NULL
        UNION ALL
        SELECT of.disk_id, f.image_id FROM of JOIN images i ON i.id = of.image_id
          JOIN frozen_disks f ON f.id = i.frozen_disk_id WHERE f.image_id IS NOT NULL
      )
      UPDATE frozen_disks SET golden_image_id = i.id
        FROM of JOIN images i ON i.id = of.image_id AND i.frozen_disk_id IS NULL WHERE frozen_disks.id = of.disk_id;
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`
      UPDATE frozen_disks SET host_id = (SELECT min(id) FROM hosts) WHERE host_id IS NULL;
      ALTER TABLE frozen_disks
        DROP CONSTRAINT frozen_disks_somewhere, DROP COLUMN golden_image_id, ALTER COLUMN host_id SET NOT NULL;
      DROP VIEW storage_peers;
      ALTER TABLE hosts DROP COLUMN storage_id, DROP COLUMN disk_pool_path, DROP COLUMN image_pool_path;
    `);
  }
}
