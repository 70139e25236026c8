import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The operator reads the audit from its newest entry on, and its oldest ones are forgotten. */
export class AuditByTime1760000300000 implements MigrationInterface {
  name = 'AuditByTime1760000300000';

  async up(db: QueryRunner): Promise<void> {
    await db.query('CREATE INDEX audit_entries_time ON audit_entries (created_at, id)');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP INDEX audit_entries_time');
  }
}
