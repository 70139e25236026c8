import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Servers that are copies of others, what their networks let through, and addresses that exact copies wait for. */
export class Clones1760001000000 implements MigrationInterface {
  name = 'Clones1760001000000';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      ALTER TABLE servers
        ADD COLUMN network text NOT NULL DEFAULT 'open' CHECK (network IN ('open', 'isolated', 'closed')),
        ADD COLUMN holds_timers boolean NOT NULL DEFAULT false,
        ADD COLUMN cloned_from bigint REFERENCES servers,
        ADD COLUMN clone_kind text CHECK (clone_kind IN ('safe', 'exact')),
        ADD COLUMN copied_disk_id bigint,
        ADD CONSTRAINT servers_clone CHECK (
          (cloned_from IS NULL) = (clone_kind IS NULL) AND (cloned_from IS NULL) = (copied_disk_id IS NULL));
      COMMENT ON COLUMN servers.network IS 'what its owner lets through; a suspension closes it all the same';
      COMMENT ON COLUMN servers.copied_disk_id IS 'the frozen disk that it is a copy of, which may be still to be frozen';
      CREATE INDEX servers_copying ON servers (copied_disk_id) WHERE ready_at IS NULL AND deleted_at IS NULL;

      CREATE TABLE address_heirs (
        server_id bigint PRIMARY KEY REFERENCES servers,
        ip inet NOT NULL REFERENCES addresses
      );
      COMMENT ON TABLE address_heirs IS 'exact copies that may have the address of their original when it is gone';
      CREATE INDEX address_heirs_ip ON address_heirs (ip);
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`
      DO $$ BEGIN
        IF EXISTS (SELECT FROM servers WHERE network <> 'open' AND deleted_at IS NULL) THEN
          RAISE EXCEPTION 'there are servers that are not on the open network, which the former release would open: open or delete them first';
        END IF;
      END $$;
      DROP TABLE address_heirs;
      ALTER TABLE servers
        DROP COLUMN network, DROP COLUMN holds_timers, DROP COLUMN cloned_from, DROP COLUMN clone_kind,
        DROP COLUMN copied_disk_id;
    `);
  }
}
