import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Upgrades that are tried on a clone of a server, and then on the server. */
export class Rehearsals1760001100000 implements MigrationInterface {
  name = 'Rehearsals1760001100000';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE rehearsals (
        id bigint PRIMARY KEY,
        account_id bigint NOT NULL REFERENCES accounts,
        project_id bigint NOT NULL REFERENCES projects,
        server_id bigint NOT NULL REFERENCES servers,
        state text NOT NULL DEFAULT 'rehearsing'
          CHECK (state IN ('rehearsing', 'passed', 'failed', 'applying', 'applied', 'rolled_back')),
        health_checks jsonb NOT NULL,
        timeout_seconds integer NOT NULL CHECK (timeout_seconds BETWEEN 1 AND 7200),
        script bytea,
        script_bytes integer NOT NULL,
        clone_server_id bigint REFERENCES servers,
        keep_clone_hours integer NOT NULL DEFAULT 0 CHECK (keep_clone_hours BETWEEN 0 AND 168),
        clone_expires_at timestamptz,
        created_at timestamptz NOT NULL DEFAULT now(),
        finished_at timestamptz
      );
      COMMENT ON COLUMN rehearsals.script IS 'sealed; null: it cannot be applied any more';
      COMMENT ON COLUMN rehearsals.clone_expires_at IS 'null: the clone is not kept (any more)';
      CREATE INDEX rehearsals_of_project ON rehearsals (project_id, created_at);
      CREATE UNIQUE INDEX rehearsals_at_work ON rehearsals (server_id) WHERE state IN ('rehearsing', 'applying');
      CREATE INDEX rehearsals_keeping ON rehearsals (clone_expires_at) WHERE clone_expires_at IS NOT NULL;

      CREATE TABLE rehearsal_runs (
        id bigint PRIMARY KEY,
        rehearsal_id bigint NOT NULL REFERENCES rehearsals ON DELETE CASCADE,
        stage text NOT NULL CHECK (stage IN ('rehearsal', 'production')),
        server_id bigint NOT NULL REFERENCES servers,
        state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'running', 'passed', 'failed', 'rolled_back')),
        error_code text,
        error_message text,
        before jsonb,
        after jsonb,
        exit_code integer,
        script_seconds integer,
        kept_bytes integer NOT NULL DEFAULT 0,
        cut_bytes bigint NOT NULL DEFAULT 0,
        checks jsonb,
        answers_again boolean,
        created_at timestamptz NOT NULL DEFAULT now(),
        started_at timestamptz,
        finished_at timestamptz
      );
      COMMENT ON COLUMN rehearsal_runs.answers_again IS 'whether the server passed its checks after it was rolled back; null: it was not';
      CREATE INDEX rehearsal_runs_of ON rehearsal_runs (rehearsal_id, created_at);

      CREATE TABLE rehearsal_output (
        run_id bigint NOT NULL REFERENCES rehearsal_runs ON DELETE CASCADE,
        position integer NOT NULL,
        bytes bytea NOT NULL,
        PRIMARY KEY (run_id, position)
      );
      COMMENT ON TABLE rehearsal_output IS 'what scripts printed, in slices; position is that of the first byte';

      ALTER TABLE actions ADD COLUMN rehearsal_id bigint;
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`
      DO $$ BEGIN
        IF EXISTS (SELECT FROM rehearsals WHERE state IN ('rehearsing', 'applying')) THEN
          RAISE EXCEPTION 'there are rehearsals under way, which the former release does not know: let them end first';
        END IF;
      END $$;
      DELETE FROM actions WHERE rehearsal_id IS NOT NULL AND server_id IS NULL;
      ALTER TABLE actions DROP COLUMN rehearsal_id;
      DROP TABLE rehearsal_output, rehearsal_runs, rehearsals;
    `);
  }
}
