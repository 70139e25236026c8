import { randomBytes } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { testDatabase } from '../../test/support/test-database.ts';
import { EnvelopeCipher, reseal, type SealedColumn } from './index.ts';

const database = testDatabase();
const [present, former, foreign] = [randomBytes(32), randomBytes(32), randomBytes(32)];
const before = new EnvelopeCipher([former]);
const both = new EnvelopeCipher([present, former]);
const after = new EnvelopeCipher([present]);
const contextOf = (id: number | string, kind: string) => `thing:${id}:${kind}`;
const column: SealedColumn = { table: 'things', column: 'sealed', key: ['id', 'kind'], contextOf };

async function put(id: number, kind: string, sealed: Buffer | null): Promise<void> {
  await database.dataSource.query('INSERT INTO things VALUES ($1, $2, $3)', [id, kind, sealed]);
}

/** What each row says under the present key alone; null where it says nothing. */
async function opened(): Promise<Record<string, string | null>> {
  const rows = await database.dataSource.query<{ id: number; kind: string; sealed: Buffer | null }[]>(
    'SELECT id, kind, sealed FROM things ORDER BY id, kind',
  );
  const text = (sealed: Buffer | null, context: string) =>
    sealed?.length ? after.open(sealed, context) : null;
  return Object.fromEntries(
    rows.map(({ id, kind, sealed }) => [`${id}/${kind}`, text(sealed, contextOf(id, kind))]),
  );
}

beforeEach(async () => {
  await database.dataSource.query(`
    DROP TABLE IF EXISTS things;
    CREATE TABLE things (id bigint, kind text, sealed bytea, PRIMARY KEY (id, kind))`);
  for (let id = 1; id <= 20; id++) await put(id, 'a', before.seal(`text ${id}`, contextOf(id, 'a')));
});

const all = Object.fromEntries(
  Array.from({ length: 20 }, (_, index) => [`${index + 1}/a`, `text ${index + 1}`]),
);

describe('sealing anew', () => {
  it('leaves nothing that needs a former key, and what needs none, is empty or not there as it was', async () => {
    const known = after.seal('known', contextOf(1, 'b'));
    await put(1, 'b', known);
    await put(1, 'c', Buffer.alloc(0));
    await put(1, 'd', null);
    const told: string[] = [];
    const result = await reseal(database.dataSource, both, column, (...of) => told.push(of.join('/')));
    expect(result).toEqual({ count: 20, unreadable: [] });
    expect(told).toEqual(Array.from({ length: 20 }, (_, index) => `${index + 1}/20`));
    expect(await opened()).toEqual({ ...all, '1/b': 'known', '1/c': null, '1/d': null });
    const [row] = await database.dataSource.query(`SELECT sealed FROM things WHERE kind = 'b'`);
    expect(row.sealed).toEqual(known);
    expect(await reseal(database.dataSource, both, column)).toEqual({ count: 0, unreadable: [] });
  });

  it('names the rows that no key opens, and leaves them', async () => {
    await put(3, 'b', new EnvelopeCipher([foreign]).seal('x', contextOf(3, 'b')));
    await put(4, 'b', before.seal('of another row', contextOf(5, 'b')));
    const { count, unreadable } = await reseal(database.dataSource, both, column);
    expect([count, unreadable.toSorted()]).toEqual([20, ['3/b', '4/b']]);
  });

  it('goes on where it was cut off', async () => {
    const cut = reseal(database.dataSource, both, column, (done) => {
      if (done === 7) throw new Error('killed');
    });
    await expect(cut).rejects.toThrow('killed');
    expect(await reseal(database.dataSource, both, column)).toEqual({ count: 13, unreadable: [] });
    expect(await opened()).toEqual(all);
  });

  it('undoes nothing that others write meanwhile, itself included', async () => {
    const changes = (async () => {
      for (let id = 1; id <= 20; id += 2) {
        const sealed = both.seal(`new ${id}`, contextOf(id, 'a'));
        await database.dataSource.query('UPDATE things SET sealed = $2 WHERE id = $1', [id, sealed]);
      }
    })();
    const twice = [1, 2].map(() => reseal(database.dataSource, both, column));
    const [one, other] = await Promise.all([...twice, changes]);
    expect([one?.unreadable, other?.unreadable]).toEqual([[], []]);
    const isEven = (row: string) => Number(row.split('/')[0]) % 2 === 0;
    expect(await opened()).toEqual(
      Object.fromEntries(
        Object.entries(all).map(([row, text]) => [row, isEven(row) ? text : text.replace('text', 'new')]),
      ),
    );
  });
});
