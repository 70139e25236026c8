import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Whether the timers were held in what is frozen of a server, so that whoever goes back to it can let them go. */
export class HeldTimers1760001862000 implements MigrationInterface {
  name = 'HeldTimers1760001862000';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      ALTER TABLE frozen_disks ADD COLUMN holds_timers boolean NOT NULL DEFAULT false;
      UPDATE frozen_disks f SET holds_timers = true FROM servers s WHERE s.id = f.server_id AND s.holds_timers;
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('ALTER TABLE frozen_disks DROP COLUMN holds_timers');
  }
}
