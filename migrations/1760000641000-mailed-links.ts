import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Links that people get by mail: they confirm an address or let somebody set a new password, once. */
export class MailedLinks1760000641000 implements MigrationInterface {
  name = 'MailedLinks1760000641000';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      ALTER TABLE accounts ADD COLUMN email_confirmed_at timestamptz;
      UPDATE accounts SET email_confirmed_at = created_at;
      COMMENT ON COLUMN accounts.email_confirmed_at IS 'when somebody who reads this address said so';

      CREATE TABLE mailed_links (
        id bigint PRIMARY KEY,
        token_hash bytea NOT NULL UNIQUE,
        account_id bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
        purpose text NOT NULL CHECK (purpose IN ('confirm_email', 'reset_password')),
        created_at timestamptz NOT NULL DEFAULT now(),
        expires_at timestamptz NOT NULL
      );
      CREATE INDEX mailed_links_account ON mailed_links (account_id, purpose);
      CREATE INDEX mailed_links_expiry ON mailed_links (expires_at);
      COMMENT ON TABLE mailed_links IS 'links that were not used yet; using one removes it';
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`
      DROP TABLE mailed_links;
      ALTER TABLE accounts DROP COLUMN email_confirmed_at;
    `);
  }
}
