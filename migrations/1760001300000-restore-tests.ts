import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Backups that are tried out: each trial, and on the image what the last one showed. */
export class RestoreTests1760001300000 implements MigrationInterface {
  name = 'RestoreTests1760001300000';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE restore_tests (
        id bigint PRIMARY KEY,
        image_id bigint NOT NULL REFERENCES images,
        server_id bigint NOT NULL REFERENCES servers,
        frozen_disk_id bigint NOT NULL REFERENCES frozen_disks,
        domain_uuid uuid NOT NULL UNIQUE,
        state text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'passed', 'failed', 'called_off')),
        started_at timestamptz NOT NULL DEFAULT now(),
        finished_at timestamptz,
        CHECK ((state = 'running') = (finished_at IS NULL))
      );
      COMMENT ON COLUMN restore_tests.state IS 'called_off: it says nothing about the backup';
      CREATE UNIQUE INDEX restore_tests_one_running ON restore_tests ((true)) WHERE state = 'running';
      CREATE INDEX restore_tests_by_start ON restore_tests (started_at);

      ALTER TABLE images
        ADD COLUMN restore_tested_at timestamptz,
        ADD COLUMN restore_checks text[] NOT NULL DEFAULT '{}',
        ADD COLUMN restore_failure text;
      COMMENT ON COLUMN images.restore_tested_at IS 'null: no start from it was tried';
      COMMENT ON COLUMN images.restore_failure IS 'why it cannot be started from; null: it can, as far as it was tried';
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`
      ALTER TABLE images DROP COLUMN restore_tested_at, DROP COLUMN restore_checks, DROP COLUMN restore_failure;
      DROP TABLE restore_tests;
    `);
  }
}
