import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Hosts that are gone for good, with all that was on them. */
export class LostHosts1760001864000 implements MigrationInterface {
  name = 'LostHosts1760001864000';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      ALTER TABLE hosts DROP CONSTRAINT hosts_state_check, ADD CONSTRAINT hosts_state_check
        CHECK (state IN ('active', 'draining', 'unreachable', 'maintenance', 'lost'));
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`
      UPDATE hosts SET state = 'unreachable' WHERE state = 'lost';
      ALTER TABLE hosts DROP CONSTRAINT hosts_state_check, ADD CONSTRAINT hosts_state_check
        CHECK (state IN ('active', 'draining', 'unreachable', 'maintenance'));
    `);
  }
}
