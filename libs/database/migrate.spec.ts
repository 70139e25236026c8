import { expect, it } from 'vitest';
import { testDatabase } from '../../test/support/test-database.ts';
import { migrate } from './migrate.ts';

const database = testDatabase();

async function tables(): Promise<string[]> {
  const rows: { name: string }[] = await database.dataSource.query(
    `SELECT table_name || '.' || column_name AS name FROM information_schema.columns
     WHERE table_schema = 'public' AND table_name <> 'migrations' ORDER BY 1`,
  );
  return rows.map(({ name }) => name);
}

it('every migration has a way down that leaves nothing, and comes up the same again', async () => {
  const { dataSource } = database;
  const before = await tables();
  const applied: unknown[] = await dataSource.query('SELECT * FROM migrations');
  expect(before).toContain('sagas.lease_token');
  for (const _ of applied) await dataSource.undoLastMigration();
  expect(await tables()).toEqual([]);
  expect(await migrate(dataSource)).toHaveLength(applied.length);
  expect(await tables()).toEqual(before);
});
