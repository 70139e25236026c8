import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Operators act by the `servery` command as well: as a user of its machine, without an account. */
export class AuditOfTheShell1760000350000 implements MigrationInterface {
  name = 'AuditOfTheShell1760000350000';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      ALTER TABLE audit_entries
        ALTER COLUMN account_id DROP NOT NULL,
        ADD COLUMN actor_name text,
        DROP CONSTRAINT audit_entries_actor_kind_check,
        ADD CONSTRAINT audit_entries_actor_kind_check
          CHECK (actor_kind IN ('session', 'token', 'operator', 'system', 'shell')),
        ADD CONSTRAINT audit_entries_has_actor CHECK (coalesce(account_id::text, actor_name) IS NOT NULL)`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`
      DELETE FROM audit_entries WHERE actor_kind = 'shell';
      ALTER TABLE audit_entries
        DROP CONSTRAINT audit_entries_has_actor,
        DROP CONSTRAINT audit_entries_actor_kind_check,
        ADD CONSTRAINT audit_entries_actor_kind_check
          CHECK (actor_kind IN ('session', 'token', 'operator', 'system')),
        DROP COLUMN actor_name,
        ALTER COLUMN account_id SET NOT NULL`);
  }
}
