import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Catalog, fleet, orders and servers. Public ids are random integers below 2^53 that the application makes. */
export class Marketplace1760000200000 implements MigrationInterface {
  name = 'Marketplace1760000200000';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE installation (
        only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
        id uuid NOT NULL DEFAULT gen_random_uuid()
      );
      COMMENT ON TABLE installation IS 'the mark that this installation leaves on what it makes on hosts';
      INSERT INTO installation DEFAULT VALUES;

      CREATE TABLE locations (
        id bigint PRIMARY KEY,
        name text NOT NULL UNIQUE,
        description text NOT NULL,
        city text NOT NULL,
        country char(2) NOT NULL,
        network_zone text NOT NULL
      );

      CREATE TABLE server_types (
        id bigint PRIMARY KEY,
        name text NOT NULL UNIQUE,
        description text NOT NULL,
        vcpus integer NOT NULL CHECK (vcpus > 0),
        memory_mib integer NOT NULL CHECK (memory_mib > 0),
        disk_gib integer NOT NULL CHECK (disk_gib > 0),
        price_hourly_micro bigint NOT NULL CHECK (price_hourly_micro >= 0),
        price_monthly_minor bigint NOT NULL CHECK (price_monthly_minor >= 0),
        deprecated_at timestamptz
      );

      CREATE TABLE images (
        id bigint PRIMARY KEY,
        name text NOT NULL,
        type text NOT NULL CHECK (type IN ('system', 'app')),
        volume_name text NOT NULL UNIQUE,
        sha256 char(64) NOT NULL,
        file_size_bytes bigint NOT NULL,
        virtual_size_bytes bigint NOT NULL,
        appliance jsonb NOT NULL,
        package_count integer NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        deprecated_at timestamptz
      );
      CREATE UNIQUE INDEX images_current_name ON images (name) WHERE deprecated_at IS NULL;

      CREATE TABLE hosts (
        id bigint PRIMARY KEY,
        name text NOT NULL UNIQUE,
        uri text NOT NULL UNIQUE,
        host_uuid uuid NOT NULL UNIQUE,
        location_id bigint NOT NULL REFERENCES locations,
        domain_type text NOT NULL CHECK (domain_type IN ('kvm', 'qemu')),
        domain_type_reason text NOT NULL,
        state text NOT NULL CHECK (state IN ('active', 'draining', 'unreachable', 'maintenance')),
        image_pool text NOT NULL,
        disk_pool text NOT NULL,
        bridge text NOT NULL,
        vcpus integer NOT NULL CHECK (vcpus > 0),
        memory_mib integer NOT NULL CHECK (memory_mib > 0),
        disk_gib integer NOT NULL CHECK (disk_gib > 0),
        used_vcpus integer NOT NULL DEFAULT 0 CHECK (used_vcpus >= 0 AND used_vcpus <= vcpus),
        used_memory_mib integer NOT NULL DEFAULT 0 CHECK (used_memory_mib >= 0 AND used_memory_mib <= memory_mib),
        used_disk_gib integer NOT NULL DEFAULT 0 CHECK (used_disk_gib >= 0 AND used_disk_gib <= disk_gib),
        last_seen_at timestamptz,
        created_at timestamptz NOT NULL DEFAULT now()
      );
      COMMENT ON COLUMN hosts.vcpus IS 'virtual CPUs that may be promised: cores times the overcommit of this host';
      COMMENT ON COLUMN hosts.used_vcpus IS 'sum over reservations, kept by the allocator; the checks make overselling impossible';

      CREATE TABLE host_images (
        host_id bigint NOT NULL REFERENCES hosts ON DELETE CASCADE,
        image_id bigint NOT NULL REFERENCES images ON DELETE CASCADE,
        imported_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (host_id, image_id)
      );

      CREATE TABLE reservations (
        server_id bigint PRIMARY KEY,
        host_id bigint NOT NULL REFERENCES hosts,
        vcpus integer NOT NULL CHECK (vcpus > 0),
        memory_mib integer NOT NULL CHECK (memory_mib > 0),
        disk_gib integer NOT NULL CHECK (disk_gib > 0),
        created_at timestamptz NOT NULL DEFAULT now()
      );
      CREATE INDEX reservations_host ON reservations (host_id);

      CREATE TABLE addresses (
        ip inet PRIMARY KEY,
        prefix_length integer NOT NULL,
        gateway inet NOT NULL,
        mac macaddr NOT NULL UNIQUE,
        location_id bigint NOT NULL REFERENCES locations,
        server_id bigint UNIQUE,
        released_at timestamptz
      );

      CREATE TABLE servers (
        id bigint PRIMARY KEY,
        account_id bigint NOT NULL,
        project_id bigint NOT NULL,
        name text NOT NULL,
        domain_uuid uuid NOT NULL UNIQUE,
        server_type_id bigint NOT NULL REFERENCES server_types,
        image_id bigint NOT NULL REFERENCES images,
        location_id bigint NOT NULL REFERENCES locations,
        host_id bigint REFERENCES hosts,
        ipv4 inet,
        desired text NOT NULL CHECK (desired IN ('running', 'off', 'deleted')),
        observed text NOT NULL CHECK (observed IN
          ('initializing', 'starting', 'running', 'stopping', 'off', 'rebuilding', 'deleting', 'unknown')),
        reason text,
        labels jsonb NOT NULL DEFAULT '{}',
        ssh_public_keys text[] NOT NULL DEFAULT '{}',
        credential_kind text NOT NULL CHECK (credential_kind IN ('ssh_key', 'password')),
        start_after_create boolean NOT NULL DEFAULT true,
        host_key text,
        access jsonb NOT NULL DEFAULT '[]',
        generation integer NOT NULL DEFAULT 1,
        created_at timestamptz NOT NULL DEFAULT now(),
        ready_at timestamptz,
        deleted_at timestamptz
      );
      CREATE UNIQUE INDEX servers_name_in_project ON servers (project_id, name) WHERE deleted_at IS NULL;
      CREATE INDEX servers_account ON servers (account_id) WHERE deleted_at IS NULL;
      CREATE INDEX servers_host ON servers (host_id) WHERE deleted_at IS NULL;
      CREATE INDEX servers_labels ON servers USING gin (labels jsonb_path_ops) WHERE deleted_at IS NULL;
      COMMENT ON COLUMN servers.generation IS 'counts rebuilds, so that each has volumes of its own';

      CREATE TABLE server_secrets (
        server_id bigint NOT NULL REFERENCES servers ON DELETE CASCADE,
        kind text NOT NULL CHECK (kind IN ('root_password', 'pending_password', 'host_key', 'user_data')),
        sealed bytea NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        expires_at timestamptz,
        revealed_at timestamptz,
        PRIMARY KEY (server_id, kind)
      );

      CREATE TABLE actions (
        id bigint PRIMARY KEY,
        project_id bigint NOT NULL,
        server_id bigint NOT NULL REFERENCES servers,
        saga_id bigint UNIQUE,
        command text NOT NULL,
        status text NOT NULL DEFAULT 'running' CHECK (status IN ('running', 'success', 'error')),
        progress integer NOT NULL DEFAULT 0 CHECK (progress BETWEEN 0 AND 100),
        error_code text,
        error_message text,
        image_id bigint,
        started_at timestamptz NOT NULL DEFAULT now(),
        finished_at timestamptz
      );
      CREATE INDEX actions_project ON actions (project_id, started_at);
      CREATE INDEX actions_server ON actions (server_id, started_at);

      CREATE TABLE orders (
        id bigint PRIMARY KEY,
        account_id bigint NOT NULL,
        project_id bigint NOT NULL,
        server_id bigint NOT NULL UNIQUE,
        action_id bigint NOT NULL,
        saga_id bigint NOT NULL,
        status text NOT NULL DEFAULT 'placed' CHECK (status IN ('placed', 'fulfilled', 'failed', 'cancelled')),
        hold_amount_minor bigint NOT NULL CHECK (hold_amount_minor >= 0),
        currency char(3) NOT NULL,
        price_hourly_micro bigint NOT NULL,
        price_monthly_minor bigint NOT NULL,
        failure_code text,
        failure_message text,
        created_at timestamptz NOT NULL DEFAULT now(),
        finished_at timestamptz
      );
      CREATE INDEX orders_project ON orders (project_id, created_at);
      CREATE INDEX orders_account ON orders (account_id, created_at);

      CREATE TABLE usage_spans (
        id bigint PRIMARY KEY,
        account_id bigint NOT NULL,
        project_id bigint NOT NULL,
        server_id bigint NOT NULL,
        server_type_id bigint NOT NULL,
        price_hourly_micro bigint NOT NULL,
        price_monthly_minor bigint NOT NULL,
        currency char(3) NOT NULL,
        opened_at timestamptz NOT NULL,
        closed_at timestamptz,
        CHECK (closed_at IS NULL OR closed_at >= opened_at)
      );
      CREATE UNIQUE INDEX usage_spans_one_open ON usage_spans (server_id) WHERE closed_at IS NULL;

      CREATE TABLE credit_entries (
        id bigint PRIMARY KEY,
        account_id bigint NOT NULL,
        amount_minor bigint NOT NULL,
        currency char(3) NOT NULL,
        cause text NOT NULL,
        cause_id text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        UNIQUE (cause, cause_id)
      );
      CREATE INDEX credit_entries_account ON credit_entries (account_id);

      CREATE TABLE findings (
        id bigint PRIMARY KEY,
        kind text NOT NULL,
        host_id bigint REFERENCES hosts ON DELETE CASCADE,
        subject text NOT NULL,
        details jsonb NOT NULL DEFAULT '{}',
        first_seen_at timestamptz NOT NULL DEFAULT now(),
        last_seen_at timestamptz NOT NULL DEFAULT now(),
        resolved_at timestamptz
      );
      CREATE UNIQUE INDEX findings_open ON findings (kind, coalesce(host_id, 0), subject) WHERE resolved_at IS NULL;
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`
      DROP TABLE findings, credit_entries, usage_spans, orders, actions, server_secrets, servers, addresses,
        reservations, host_images, hosts, images, server_types, locations, installation;
    `);
  }
}
