import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Accounts, what they sign in with, and what they may do once. Public ids are made by the application. */
export class Accounts1760000050000 implements MigrationInterface {
  name = 'Accounts1760000050000';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE accounts (
        id bigint PRIMARY KEY,
        email text NOT NULL,
        password_hash text NOT NULL,
        name text NOT NULL,
        role text NOT NULL DEFAULT 'customer' CHECK (role IN ('customer', 'operator')),
        max_servers integer NOT NULL CHECK (max_servers >= 0),
        max_vcpus integer NOT NULL CHECK (max_vcpus >= 0),
        max_memory_mib integer NOT NULL CHECK (max_memory_mib >= 0),
        trusted boolean NOT NULL DEFAULT false,
        created_at timestamptz NOT NULL DEFAULT now()
      );
      CREATE UNIQUE INDEX accounts_email ON accounts (lower(email));
      COMMENT ON COLUMN accounts.trusted IS 'has paid an invoice: orders need no hold';

      CREATE TABLE sessions (
        id bigint PRIMARY KEY,
        token_hash bytea NOT NULL UNIQUE,
        account_id bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
        created_at timestamptz NOT NULL DEFAULT now(),
        last_seen_at timestamptz NOT NULL DEFAULT now(),
        expires_at timestamptz NOT NULL
      );
      CREATE INDEX sessions_account ON sessions (account_id);
      CREATE INDEX sessions_expiry ON sessions (expires_at);

      CREATE TABLE projects (
        id bigint PRIMARY KEY,
        account_id bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
        name text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT projects_name UNIQUE (account_id, name)
      );

      CREATE TABLE api_tokens (
        id bigint PRIMARY KEY,
        project_id bigint NOT NULL REFERENCES projects ON DELETE CASCADE,
        name text NOT NULL,
        token_hash bytea NOT NULL UNIQUE,
        access text NOT NULL CHECK (access IN ('read', 'read_write')),
        last4 char(4) NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        last_used_at timestamptz,
        revoked_at timestamptz
      );
      CREATE INDEX api_tokens_project ON api_tokens (project_id);

      CREATE TABLE ssh_keys (
        id bigint PRIMARY KEY,
        project_id bigint NOT NULL REFERENCES projects ON DELETE CASCADE,
        name text NOT NULL,
        fingerprint text NOT NULL,
        public_key text NOT NULL,
        labels jsonb NOT NULL DEFAULT '{}',
        created_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT ssh_keys_name UNIQUE (project_id, name),
        CONSTRAINT ssh_keys_fingerprint UNIQUE (project_id, fingerprint)
      );

      CREATE TABLE audit_entries (
        id bigint PRIMARY KEY,
        account_id bigint NOT NULL,
        actor_kind text NOT NULL CHECK (actor_kind IN ('session', 'token', 'operator', 'system')),
        actor_id bigint,
        action text NOT NULL,
        subject_kind text NOT NULL,
        subject_id bigint NOT NULL,
        ip inet,
        created_at timestamptz NOT NULL DEFAULT now()
      );
      CREATE INDEX audit_entries_account ON audit_entries (account_id, created_at);
      CREATE INDEX audit_entries_subject ON audit_entries (subject_kind, subject_id);

      CREATE TABLE idempotency_keys (
        scope text NOT NULL,
        key text NOT NULL,
        fingerprint bytea NOT NULL,
        resource_id bigint NOT NULL,
        answer bytea,
        claim uuid,
        claimed_until timestamptz,
        created_at timestamptz NOT NULL DEFAULT now(),
        expires_at timestamptz NOT NULL,
        PRIMARY KEY (scope, key)
      );
      CREATE INDEX idempotency_keys_expiry ON idempotency_keys (expires_at);
      COMMENT ON COLUMN idempotency_keys.resource_id IS 'id of what the request creates, so that repeating it creates it once';
      COMMENT ON COLUMN idempotency_keys.answer IS 'sealed: it may hold a password';
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`
      DROP TABLE idempotency_keys, audit_entries, ssh_keys, api_tokens, projects, sessions, accounts;
    `);
  }
}
