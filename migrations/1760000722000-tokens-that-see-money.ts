import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Money is the account's and not a project's: a token is shown it where that was asked for. Those of before keep it. */
export class TokensThatSeeMoney1760000722000 implements MigrationInterface {
  name = 'TokensThatSeeMoney1760000722000';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      ALTER TABLE api_tokens ADD COLUMN sees_money boolean NOT NULL DEFAULT false;
      UPDATE api_tokens SET sees_money = true WHERE access = 'read_write'`);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('ALTER TABLE api_tokens DROP COLUMN sees_money');
  }
}
