import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Disks that owners keep apart from servers: rows, room on hosts, limits, and what is billed of them. */
export class Volumes1760001400000 implements MigrationInterface {
  name = 'Volumes1760001400000';

  async up(db: QueryRunner): Promise<void> {
    await db.query(VOLUMES);
    await db.query(`
      ALTER TABLE actions ADD COLUMN volume_id bigint REFERENCES volumes;
      CREATE INDEX actions_volume ON actions (volume_id, started_at) WHERE volume_id IS NOT NULL;

      ALTER TABLE reservations
        DROP CONSTRAINT reservations_vcpus_check, DROP CONSTRAINT reservations_memory_mib_check,
        ADD CONSTRAINT reservations_vcpus_check CHECK (vcpus >= 0),
        ADD CONSTRAINT reservations_memory_mib_check CHECK (memory_mib >= 0);
      COMMENT ON COLUMN reservations.server_id IS 'a server, a test of a backup, or a volume, which takes disk alone';

      ALTER TABLE accounts ADD COLUMN max_volume_gib integer NOT NULL DEFAULT 500 CHECK (max_volume_gib >= 0);

      ALTER TABLE price_items
        DROP CONSTRAINT price_items_code_check,
        ADD CONSTRAINT price_items_code_check
          CHECK (code ~ '^(compute|disk|image|address|snapshot|backup|volume)/.+');
      COMMENT ON COLUMN usage_spans.quantity IS 'GiB of a snapshot, backup or volume; else 1';
      INSERT INTO ledger_accounts (code, side, unit, of_customer, title)
        VALUES ('revenue_volume', 'income', 'micro', false, 'Volumes') ON CONFLICT DO NOTHING;
    `);
  }

  /** What was billed of volumes stays in the books, and with it their price and their account. */
  async down(db: QueryRunner): Promise<void> {
    await db.query(`
      DO $$ BEGIN
        IF EXISTS (SELECT FROM volumes v WHERE deleted_at IS NULL
                   OR EXISTS (SELECT FROM reservations WHERE server_id = v.id)) THEN
          RAISE EXCEPTION 'there are volumes, which the former release does not know: delete them first';
        END IF;
      END $$;
      DELETE FROM actions WHERE server_id IS NULL AND volume_id IS NOT NULL;
      ALTER TABLE actions DROP COLUMN volume_id;
      DROP TABLE volumes;
      ALTER TABLE reservations
        DROP CONSTRAINT reservations_vcpus_check, DROP CONSTRAINT reservations_memory_mib_check,
        ADD CONSTRAINT reservations_vcpus_check CHECK (vcpus > 0),
        ADD CONSTRAINT reservations_memory_mib_check CHECK (memory_mib > 0);
      ALTER TABLE accounts DROP COLUMN max_volume_gib;
      ALTER TABLE price_items
        DROP CONSTRAINT price_items_code_check,
        ADD CONSTRAINT price_items_code_check CHECK (code ~ '^(compute|disk|image|address|snapshot|backup)/.+') NOT VALID;
    `);
  }
}

const VOLUMES = `
  CREATE TABLE volumes (
    id bigint PRIMARY KEY,
    account_id bigint NOT NULL REFERENCES accounts,
    project_id bigint NOT NULL REFERENCES projects,
    location_id bigint NOT NULL REFERENCES locations,
    name text NOT NULL,
    size_gib integer NOT NULL CHECK (size_gib > 0),
    format text CHECK (format = 'ext4'),
    currency char(3) NOT NULL,
    host_id bigint REFERENCES hosts ON DELETE SET NULL,
    has_data boolean NOT NULL DEFAULT false,
    server_id bigint REFERENCES servers,
    slot integer CHECK (slot >= 0),
    status text NOT NULL DEFAULT 'creating' CHECK (status IN ('creating', 'available')),
    labels jsonb NOT NULL DEFAULT '{}',
    is_delete_protected boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    retired_at timestamptz,
    deleted_at timestamptz,
    CHECK ((server_id IS NULL) = (slot IS NULL)),
    CHECK (server_id IS NULL OR (has_data AND deleted_at IS NULL))
  );
  COMMENT ON COLUMN volumes.has_data IS 'a server had it: until then it may be made anew on another host';
  COMMENT ON COLUMN volumes.slot IS 'its place on the controller of the server that has it';
  COMMENT ON COLUMN volumes.retired_at IS 'hidden and not billed, for its account does not pay';
  CREATE UNIQUE INDEX volumes_name_in_project ON volumes (project_id, name) WHERE deleted_at IS NULL;
  CREATE UNIQUE INDEX volumes_slot_of_server ON volumes (server_id, slot) WHERE server_id IS NOT NULL;
  CREATE INDEX volumes_account ON volumes (account_id) WHERE deleted_at IS NULL;
  CREATE INDEX volumes_host ON volumes (host_id) WHERE deleted_at IS NULL;
  CREATE INDEX volumes_labels ON volumes USING gin (labels jsonb_path_ops) WHERE deleted_at IS NULL;
`;
