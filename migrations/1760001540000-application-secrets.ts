import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Secrets of applications, made for each server: pending until its guest has them, then waiting for its owner. */
export class ApplicationSecrets1760001540000 implements MigrationInterface {
  name = 'ApplicationSecrets1760001540000';

  async up(db: QueryRunner): Promise<void> {
    await setKinds(db, [...FORMER, 'pending_application', 'application']);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`DELETE FROM server_secrets WHERE kind IN ('pending_application', 'application')`);
    await setKinds(db, FORMER);
  }
}

const FORMER = ['root_password', 'pending_password', 'host_key', 'user_data'];

async function setKinds(db: QueryRunner, kinds: readonly string[]): Promise<void> {
  await db.query(`
    ALTER TABLE server_secrets DROP CONSTRAINT server_secrets_kind_check;
    ALTER TABLE server_secrets ADD CONSTRAINT server_secrets_kind_check
      CHECK (kind IN (${kinds.map((kind) => `'${kind}'`).join(', ')}));
  `);
}
