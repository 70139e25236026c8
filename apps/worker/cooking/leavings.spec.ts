import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { testDatabase } from '../../../test/support/test-database.ts';
import { Kitchen } from './kitchen.ts';
import { Leavings } from './leavings.ts';

const database = testDatabase();
let folder: string;

beforeAll(async () => {
  await database.dataSource.query(`
    INSERT INTO accounts (id, email, password_hash, name, max_servers, max_vcpus, max_memory_mib)
      VALUES (1, 'a@example.org', '', 'a', 0, 0, 0);
    INSERT INTO projects (id, account_id, name) VALUES (1, 1, 'a');
    INSERT INTO recipes (id, project_id, name) VALUES (1, 1, 'shop');
    INSERT INTO recipe_versions (recipe_id, version, spec) VALUES (1, 1, '{}')`);
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kitchen-'));
});
afterEach(() => rm(folder, { recursive: true }));

function leavings(at = folder): Leavings {
  const kitchen = new Kitchen({ folder: at, mirror: undefined, cookMinutes: 60 });
  return new Leavings(database.dataSource, kitchen);
}

let lastId = 4_000_000_000_000;

/** A cook, as its workflow has left it so far. @returns its id */
async function cook(state: 'waiting' | 'cooking' | 'available' | 'failed' | 'cancelled'): Promise<number> {
  const id = ++lastId;
  await database.dataSource.query(
    `INSERT INTO cooks (id, account_id, project_id, recipe_id, recipe_name, version, currency, is_forced, new_image_id,
                        state, finished_at)
     VALUES ($1, 1, 1, 1, 'shop', 1, 'eur', false, 1, $2, CASE WHEN $2 IN ('waiting', 'cooking') THEN NULL ELSE now() END)`,
    [id, state],
  );
  return id;
}

async function leave(name: string): Promise<string> {
  await mkdir(join(folder, name));
  await writeFile(join(folder, name, 'disk.qcow2'), 'a disk');
  return name;
}

describe('what lies in the kitchen', () => {
  it('of cooks that are over is removed, however they ended, and what others need stays', async () => {
    for (const state of ['available', 'failed', 'cancelled'] as const) {
      await leave(`cook.${await cook(state)}`);
    }
    const needed = [await cook('waiting'), await cook('cooking')];
    for (const id of needed) await leave(`cook.${id}`);
    await cook('failed');
    expect(await leavings().remove()).toBe(3);
    expect((await readdir(folder)).toSorted()).toEqual(needed.map((id) => `cook.${id}`));
    expect(await leavings().remove()).toBe(0);
  });

  it('of a cook that is forgotten is removed', async () => {
    await leave('cook.4711');
    expect(await leavings().remove()).toBe(1);
    expect(await readdir(folder)).toEqual([]);
  });

  it('of no cook is not touched', async () => {
    const others = [
      '.cache',
      '.cooking-shop-1',
      'cook-1',
      'cook.',
      'cook.0',
      'cook.01',
      'cook.1x',
      'web',
      'xcook.1',
    ];
    for (const name of others) await leave(name);
    await leave('cook.99999999999999999999');
    expect(await leavings().remove()).toBe(0);
    expect((await readdir(folder)).toSorted()).toEqual([...others, 'cook.99999999999999999999'].toSorted());
  });

  it('is nothing where nobody has cooked yet', async () => {
    expect(await leavings(join(folder, 'none')).remove()).toBe(0);
  });
});
