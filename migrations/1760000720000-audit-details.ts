import type { MigrationInterface, QueryRunner } from 'typeorm';

/** An entry says what was changed from what to what, and names subjects that have no number: prices, codes. */
export class AuditDetails1760000720000 implements MigrationInterface {
  name = 'AuditDetails1760000720000';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      ALTER TABLE audit_entries
        ALTER COLUMN subject_id DROP NOT NULL,
        ADD COLUMN subject_name text,
        ADD COLUMN detail json NOT NULL DEFAULT '{}' CHECK (json_typeof(detail) = 'object'),
        ADD CONSTRAINT audit_entries_has_subject CHECK (coalesce(subject_id::text, subject_name) IS NOT NULL);
      CREATE INDEX audit_entries_subject_name ON audit_entries (subject_kind, subject_name)
        WHERE subject_name IS NOT NULL;
      COMMENT ON COLUMN audit_entries.subject_name IS 'of what is known by name and not by number: compute/s1';
      COMMENT ON COLUMN audit_entries.detail IS 'words by name, never a secret: {"from": "0.006", "to": "0.007"}'`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`
      DELETE FROM audit_entries WHERE subject_id IS NULL;
      DROP INDEX audit_entries_subject_name;
      ALTER TABLE audit_entries
        DROP CONSTRAINT audit_entries_has_subject,
        DROP COLUMN detail,
        DROP COLUMN subject_name,
        ALTER COLUMN subject_id SET NOT NULL`);
  }
}
