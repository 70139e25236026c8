import type { MigrationInterface, QueryRunner } from 'typeorm';

/** ISO images of the operator's, the hosts that have them, and the servers in whose CD drive they are. */
export class Isos1760001610000 implements MigrationInterface {
  name = 'Isos1760001610000';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE isos (
        id bigint PRIMARY KEY,
        name text NOT NULL,
        description text NOT NULL,
        volume_name text NOT NULL,
        sha256 char(64) NOT NULL,
        size_bytes bigint NOT NULL CHECK (size_bytes > 0),
        created_at timestamptz NOT NULL DEFAULT now(),
        deleted_at timestamptz
      );
      CREATE UNIQUE INDEX isos_name ON isos (name) WHERE deleted_at IS NULL;
      CREATE TABLE host_isos (
        iso_id bigint NOT NULL REFERENCES isos,
        host_id bigint NOT NULL REFERENCES hosts ON DELETE CASCADE,
        PRIMARY KEY (iso_id, host_id)
      );
      ALTER TABLE servers ADD COLUMN iso_id bigint REFERENCES isos;
      COMMENT ON COLUMN servers.iso_id IS 'what is in its CD drive; null: it has none';
      CREATE INDEX servers_iso ON servers (iso_id) WHERE iso_id IS NOT NULL;
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`
      DO $$ BEGIN
        IF EXISTS (SELECT FROM servers WHERE iso_id IS NOT NULL) THEN
          RAISE EXCEPTION 'there are ISO images in CD drives of servers, which the former release does not know: detach them first';
        END IF;
      END $$;
      ALTER TABLE servers DROP COLUMN iso_id;
      DROP TABLE host_isos;
      DROP TABLE isos;
    `);
  }
}
