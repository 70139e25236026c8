import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Sagas and their logs. A saga's row is also the outbox: it is written in the transaction that asks for it. */
export class Sagas1760000000000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE sagas (
        id bigint PRIMARY KEY,
        seq bigint GENERATED ALWAYS AS IDENTITY,
        name text NOT NULL,
        params jsonb NOT NULL,
        state text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'undoing', 'done', 'undone', 'stuck')),
        direction text NOT NULL DEFAULT 'do' CHECK (direction IN ('do', 'undo')),
        step text NOT NULL DEFAULT '',
        step_started_at timestamptz,
        outputs jsonb NOT NULL DEFAULT '{}',
        reversible boolean NOT NULL DEFAULT true,
        version integer NOT NULL DEFAULT 0,
        tries integer NOT NULL DEFAULT 0,
        wakes integer NOT NULL DEFAULT 0,
        wake_at timestamptz NOT NULL DEFAULT now(),
        lease_owner text,
        lease_token bigint NOT NULL DEFAULT 0,
        lease_until timestamptz,
        error jsonb,
        undo_requested jsonb,
        action_id bigint,
        subject_type text,
        subject_id bigint,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        finished_at timestamptz,
        CHECK ((subject_type IS NULL) = (subject_id IS NULL)),
        CHECK ((finished_at IS NULL) = (state NOT IN ('done', 'undone')))
      ) WITH (fillfactor = 80)`);
    await queryRunner.query('CREATE INDEX sagas_due ON sagas (wake_at) WHERE finished_at IS NULL');
    await queryRunner.query(
      'CREATE INDEX sagas_subject ON sagas (subject_type, subject_id, seq) WHERE subject_type IS NOT NULL',
    );
    await queryRunner.query('CREATE INDEX sagas_action ON sagas (action_id) WHERE action_id IS NOT NULL');
    await queryRunner.query(`
      CREATE TABLE saga_steps (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        saga_id bigint NOT NULL REFERENCES sagas (id) ON DELETE CASCADE,
        step text NOT NULL,
        direction text NOT NULL CHECK (direction IN ('do', 'undo')),
        try integer NOT NULL,
        outcome text NOT NULL CHECK (outcome IN ('succeeded', 'retried', 'failed', 'interrupted')),
        error jsonb,
        duration_milliseconds integer NOT NULL,
        worker text NOT NULL,
        at timestamptz NOT NULL DEFAULT now()
      )`);
    await queryRunner.query('CREATE INDEX saga_steps_saga ON saga_steps (saga_id, id)');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE saga_steps');
    await queryRunner.query('DROP TABLE sagas');
  }
}
