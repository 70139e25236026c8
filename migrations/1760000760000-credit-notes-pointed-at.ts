import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What a foreign key needs to lock the row that it points at; the row itself stays as it is. */
export class CreditNotesPointedAt1760000760000 implements MigrationInterface {
  name = 'CreditNotesPointedAt1760000760000';

  async up(db: QueryRunner): Promise<void> {
    await db.query('GRANT UPDATE (id) ON credit_notes TO CURRENT_USER');
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('REVOKE UPDATE (id) ON credit_notes FROM CURRENT_USER');
  }
}
