import { expect, it } from 'vitest';
import { serveryCli } from '../../test/support/servery-cli.ts';
import { testDatabase } from '../../test/support/test-database.ts';

const database = testDatabase();
const servery = serveryCli(() => ({ DATABASE_URL: database.url }));

async function prices(): Promise<string[]> {
  const rows = (await servery('price', 'list')).trimEnd().split('\n');
  return rows.map((row) => row.split(/ {2,}/).join(' '));
}

it('servery price sets a first price, changes it from a moment on, and never in the past', async () => {
  await expect(servery('price', 'set', 'backup/gib', '0.00002')).rejects.toThrow('--title');
  await servery('price', 'set', 'backup/gib', '0.00002', '--title', 'Backup, per GiB');
  await servery('price', 'set', 'backup/gib', '1.5', '--from', '2999-01-01T00:00:00Z');
  expect(await prices()).toEqual([
    'backup/gib 0.00002000 ever Backup, per GiB',
    'backup/gib 1.50000000 2999-01-01T00:00:00.000Z Backup, per GiB',
  ]);
  const past = servery('price', 'set', 'backup/gib', '7', '--from', '2020-01-01T00:00:00Z');
  await expect(past).rejects.toThrow('from now on only');
  for (const [args, problem] of [
    [['backup', '1'], 'a component and a name'],
    [['backup/gib', '-1'], '-1'],
    [['backup/gib', '0.000000001'], '8 decimals at most'],
    [['backup/gib', '1', '--from', 'tomorrow'], 'a moment with its zone'],
  ] as const) {
    await expect(servery('price', 'set', ...args), args.join(' ')).rejects.toThrow(problem);
  }
  expect(await prices()).toHaveLength(2);
  const audited = (await servery('audit', '--subject', 'price:backup/gib')).trimEnd().split('\n');
  expect(audited).toEqual([
    expect.stringMatching(
      /price\.change +price backup\/gib .* from="0\.00002000" {2}to="1\.50000000" {2}since="2999-01-01/,
    ),
    expect.stringMatching(/price\.change .* from=null {2}to="0\.00002000"/),
  ]);
});

it('servery price changes what volumes cost', async () => {
  await servery('price', 'set', 'volume/gib', '0.00005', '--title', 'Volume, per GiB');
  await servery('price', 'set', 'volume/gib', '0.00006', '--from', '2999-01-01T00:00:00Z');
  expect(await prices()).toEqual(
    expect.arrayContaining(['volume/gib 0.00006000 2999-01-01T00:00:00.000Z Volume, per GiB']),
  );
});
