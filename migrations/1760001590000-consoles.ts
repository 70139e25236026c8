import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Consoles that were asked for, by one-time tokens of which the hash alone is kept. */
export class Consoles1760001590000 implements MigrationInterface {
  name = 'Consoles1760001590000';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE consoles (
        id bigint PRIMARY KEY,
        account_id bigint NOT NULL REFERENCES accounts,
        project_id bigint NOT NULL REFERENCES projects,
        server_id bigint NOT NULL REFERENCES servers,
        kind text NOT NULL CHECK (kind IN ('serial', 'vnc')),
        token_hash bytea NOT NULL UNIQUE,
        actor_kind text NOT NULL CHECK (actor_kind IN ('session', 'operator', 'token')),
        actor_id bigint NOT NULL,
        origin text,
        created_at timestamptz NOT NULL DEFAULT now(),
        expires_at timestamptz NOT NULL CHECK (expires_at <= created_at + interval '60 seconds'),
        opened_at timestamptz,
        closed_at timestamptz
      );
      COMMENT ON COLUMN consoles.actor_id IS 'the session or API token that asked for it: it lasts no longer than that';
      COMMENT ON COLUMN consoles.origin IS 'of the one page that may open it; null: of the storefront, and programs';
      CREATE INDEX consoles_open ON consoles (server_id, kind) WHERE opened_at IS NOT NULL AND closed_at IS NULL;
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP TABLE consoles');
  }
}
