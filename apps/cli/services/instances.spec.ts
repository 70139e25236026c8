import { mkdtemp, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { stopDaemon } from './daemon.ts';
import { ensurePostgres } from './postgres.ts';
import { ensureRedis } from './redis.ts';

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

/** The parent is open to root alone, as a checkout under /root is. */
describe('private instances, below a folder that is closed to others', () => {
  let folder = '';
  const fast = { fsync: 'off', full_page_writes: 'off' };

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'instances-'));
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
  });
  afterEach(async () => {
    for (const name of ['postgres', 'redis']) await stopDaemon(folder, name);
    await rm(folder, { recursive: true, force: true });
  });

  it('PostgreSQL keeps its data and its address over a restart', async () => {
    const url = await ensurePostgres({ folder, settings: fast });
    await query(url, 'CREATE TABLE kept AS SELECT 7 AS value');
    expect(await ensurePostgres({ folder, settings: fast })).toBe(url);
    await stopDaemon(folder, 'postgres');
    expect(await query(await ensurePostgres({ folder, settings: fast }), 'SELECT value FROM kept')).toEqual([
      { value: 7 },
    ]);
  });

  it('PostgreSQL gives the application a database, and nothing above it', async () => {
    const url = await ensurePostgres({ folder, settings: fast });
    const role =
      'SELECT rolsuper OR rolcreaterole OR rolcreatedb AS mighty FROM pg_roles WHERE rolname = current_user';
    expect(await query(url, role)).toEqual([{ mighty: false }]);
    const owner =
      'SELECT pg_get_userbyid(datdba) = current_user AS own FROM pg_database WHERE datname = current_database()';
    expect(await query(url, owner)).toEqual([{ own: true }]);
  });

  it('PostgreSQL asks for its password', async () => {
    const url = new URL(await ensurePostgres({ folder, settings: fast }));
    url.password = 'wrong';
    await expect(query(url.href, 'SELECT 1')).rejects.toMatchObject({ code: '28P01' });
  });

  it('PostgreSQL takes another port when its own was taken meanwhile', async () => {
    const first = new URL(await ensurePostgres({ folder, settings: fast }));
    await stopDaemon(folder, 'postgres');
    const thief = createServer().listen(Number(first.port), '127.0.0.1');
    try {
      const second = new URL(await ensurePostgres({ folder, settings: fast }));
      expect(second.port).not.toBe(first.port);
      expect(await query(second.href, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    } finally {
      thief.close();
    }
  });

  it('Redis keeps its address, and comes back after a stop', async () => {
    const url = await ensureRedis({ folder });
    expect(await ensureRedis({ folder })).toBe(url);
    await stopDaemon(folder, 'redis');
    expect(await ensureRedis({ folder })).toBe(url);
  });
});
