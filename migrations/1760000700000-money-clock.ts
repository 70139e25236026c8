import type { MigrationInterface, QueryRunner } from 'typeorm';

/** How far the clock of money is ahead of the machine's: 0, but where the Stripe emulator stands for the provider. */
export class MoneyClock1760000700000 implements MigrationInterface {
  name = 'MoneyClock1760000700000';

  async up(db: QueryRunner): Promise<void> {
    await db.query(`
      CREATE TABLE money_clock (
        is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
        ahead_seconds bigint NOT NULL DEFAULT 0 CHECK (ahead_seconds >= 0)
      );
      INSERT INTO money_clock DEFAULT VALUES;
      COMMENT ON TABLE money_clock IS 'moved by "servery clock advance", on the Stripe emulator alone; never back';

      CREATE FUNCTION money_now() RETURNS timestamptz STABLE LANGUAGE sql AS $$
        SELECT now() + make_interval(secs => ahead_seconds) FROM money_clock
      $$;
      COMMENT ON FUNCTION money_now IS 'the moment of the transaction by the clock of money';
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query('DROP FUNCTION money_now; DROP TABLE money_clock');
  }
}
