import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The outbox of mails: a row is written in the transaction that wants the mail, and the worker sends it. */
export class Mails1760000640000 implements MigrationInterface {
  name = 'Mails1760000640000';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE mails (
        id bigint PRIMARY KEY,
        cause text NOT NULL,
        account_id bigint,
        recipient text NOT NULL CHECK (recipient !~ '[[:cntrl:][:space:]<>]'),
        template text NOT NULL,
        data jsonb NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        due_at timestamptz NOT NULL DEFAULT now(),
        give_up_at timestamptz NOT NULL,
        tries integer NOT NULL DEFAULT 0,
        last_error text,
        sent_at timestamptz,
        given_up_at timestamptz,
        CONSTRAINT mails_cause UNIQUE (cause),
        CONSTRAINT mails_one_end CHECK (sent_at IS NULL OR given_up_at IS NULL)
      );
      CREATE INDEX mails_due ON mails (due_at) WHERE sent_at IS NULL AND given_up_at IS NULL;
      CREATE INDEX mails_given_up ON mails (given_up_at) WHERE given_up_at IS NOT NULL;
      CREATE INDEX mails_account ON mails (account_id, created_at);
      COMMENT ON COLUMN mails.cause IS 'what it is sent for: asked for twice, it is sent once';
      COMMENT ON COLUMN mails.due_at IS 'from when on it may be taken; whoever takes it moves this ahead, as a lease';
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP TABLE mails');
  }
}
