import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What a server was when its disk was frozen, images that are kept for a while only, and plans of backups. */
export class Backups1760000920000 implements MigrationInterface {
  name = 'Backups1760000920000';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      ALTER TABLE frozen_disks
        ADD COLUMN image_id bigint REFERENCES images,
        ADD COLUMN host_key text;
      COMMENT ON COLUMN frozen_disks.image_id IS 'what its server was of then; null: not noted';
      COMMENT ON COLUMN frozen_disks.host_key IS 'by which its server was known then; null: not noted';

      ALTER TABLE images
        ADD COLUMN made_by text CHECK (made_by IN ('owner', 'plan', 'roll_back')),
        ADD COLUMN expires_at timestamptz;
      COMMENT ON COLUMN images.made_by IS 'of a server''s disk; null: it was not made of one';
      COMMENT ON COLUMN images.expires_at IS 'null: kept until somebody deletes it';
      UPDATE images SET made_by = 'owner' WHERE server_id IS NOT NULL;
      CREATE INDEX images_expiring ON images (expires_at) WHERE expires_at IS NOT NULL AND deleted_at IS NULL;
      CREATE INDEX images_of_server ON images (server_id) WHERE server_id IS NOT NULL;

      CREATE TABLE backup_plans (
        server_id bigint PRIMARY KEY REFERENCES servers,
        window_begins_hour smallint NOT NULL CHECK (window_begins_hour IN (2, 6, 10, 14, 18, 22)),
        weekday smallint CHECK (weekday BETWEEN 0 AND 6),
        keep smallint NOT NULL CHECK (keep BETWEEN 1 AND 7),
        next_due_at timestamptz NOT NULL
      );
      COMMENT ON COLUMN backup_plans.window_begins_hour IS 'of four hours, in UTC';
      COMMENT ON COLUMN backup_plans.weekday IS 'on which the window begins, Sunday is 0; null: every day';
      CREATE INDEX backup_plans_due ON backup_plans (next_due_at);
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`
      DROP TABLE backup_plans;
      DROP INDEX images_of_server;
      ALTER TABLE images DROP COLUMN made_by, DROP COLUMN expires_at;
      ALTER TABLE frozen_disks DROP COLUMN image_id, DROP COLUMN host_key;
    `);
  }
}
