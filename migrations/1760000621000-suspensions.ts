import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Why accounts are suspended, each reason by itself, and how far that has come with their servers. */
export class Suspensions1760000621000 implements MigrationInterface {
  name = 'Suspensions1760000621000';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE account_suspensions (
        id bigint PRIMARY KEY,
        account_id bigint NOT NULL REFERENCES accounts,
        reason text NOT NULL CHECK (reason IN ('billing', 'abuse', 'operator')),
        note text NOT NULL DEFAULT '',
        since timestamptz NOT NULL,
        lifted_at timestamptz CHECK (lifted_at >= since)
      );
      CREATE UNIQUE INDEX account_suspensions_standing ON account_suspensions (account_id, reason)
        WHERE lifted_at IS NULL;
      COMMENT ON COLUMN account_suspensions.note IS 'for the customer: what is wrong';

      CREATE TABLE server_suspensions (
        server_id bigint PRIMARY KEY REFERENCES servers,
        power_before text NOT NULL CHECK (power_before IN ('running', 'off')),
        begun_at timestamptz NOT NULL DEFAULT now(),
        suspended_at timestamptz,
        retired_at timestamptz CHECK (retired_at IS NULL OR suspended_at IS NOT NULL)
      );
      COMMENT ON TABLE server_suspensions IS
        'from the first step of a suspension until the server is back as it was; what it is suspended for is its account''s';
      COMMENT ON COLUMN server_suspensions.suspended_at IS 'since when it is off and its network closed';
      COMMENT ON COLUMN server_suspensions.retired_at IS 'deleted softly: its owner does not see it, its data is kept';
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP TABLE server_suspensions, account_suspensions');
  }
}
