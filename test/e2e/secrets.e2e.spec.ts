import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { resetPasswordResponse, type ServerWire } from '#libs/contracts';
import {
  ask,
  databaseUrl,
  dataFolder,
  deleteServers,
  finished,
  getServer,
  onServer,
  order,
  rows,
  send,
  withRedis,
} from './stack.fixture.ts';

const run = promisify(execFile);

/** A secret as it stands, and as it would look in a column of bytes or on its way to the guest agent. */
function shapesOf(secret: string): string[] {
  const bytes = Buffer.from(secret);
  return [secret, bytes.toString('hex'), bytes.toString('base64').replaceAll('=', '')];
}

/** The files below `folder` that hold one of `texts`, disks of guests among them. */
async function filesWith(folder: string, texts: readonly string[]): Promise<string[]> {
  const patterns = texts.flatMap((text) => ['-e', text]);
  const options = ['--recursive', '--text', '--files-with-matches', '--fixed-strings', '--devices=skip'];
  const { stdout } = await run('grep', [...options, ...patterns, folder]).catch(
    (error: { code?: number; stdout: string; stderr: string }) => {
      // 1: nothing found. 2: a file went away while grep looked, which its other findings outlive.
      if (error.code !== 1 && !/^(grep: .*: No such file or directory\n)+$/.test(error.stderr)) throw error;
      return error;
    },
  );
  return stdout.split('\n').filter(Boolean);
}

async function databaseDump(): Promise<string> {
  const url = new URL(await databaseUrl());
  const { stdout } = await run('pg_dump', ['--data-only', '--no-owner'], {
    maxBuffer: 512 * 1024 * 1024,
    env: {
      ...process.env,
      PGHOST: url.hostname,
      PGPORT: url.port,
      PGUSER: url.username,
      PGPASSWORD: url.password,
      PGDATABASE: url.pathname.slice(1),
    },
  });
  return stdout;
}

const READERS: Record<string, (redis: Redis, key: string) => Promise<unknown>> = {
  string: (redis, key) => redis.get(key),
  hash: (redis, key) => redis.hgetall(key),
  list: (redis, key) => redis.lrange(key, 0, -1),
  set: (redis, key) => redis.smembers(key),
  zset: (redis, key) => redis.zrange(key, 0, -1),
  stream: (redis, key) => redis.xrange(key, '-', '+'),
};

/** Every key and value of Redis: jobs, events, counters, locks. */
function redisDump(): Promise<string> {
  return withRedis(async (redis) => {
    const lines: string[] = [];
    for await (const keys of redis.scanStream({ count: 500 })) {
      for (const key of keys as string[]) {
        const type = await redis.type(key);
        // Gone since the scan.
        if (type === 'none') continue;
        const read = READERS[type];
        if (!read) throw new Error(`${key} is a ${type}, which this test cannot read`);
        lines.push(`${key} ${JSON.stringify(await read(redis, key))}`);
      }
    }
    return lines.join('\n');
  });
}

/** The places where a text was found. */
async function placesOf(texts: readonly string[]): Promise<string[]> {
  const dumps = { database: await databaseDump(), redis: await redisDump() };
  const inDumps = Object.entries(dumps).filter(([, dump]) => texts.some((text) => dump.includes(text)));
  return [...inDumps.map(([name]) => name), ...(await filesWith(dataFolder, texts))];
}

/** A server without an SSH key: its password is told once, and then kept nowhere. */
describe('the password of a server', () => {
  const name = `secret-${randomUUID().slice(0, 8)}`;
  let server: ServerWire;
  let actionId: number;
  let ordered: string;
  let reset: string;

  beforeAll(async () => {
    const body = { name, server_type: 's1', image: 'debian-12' };
    const placed = await order(body, randomUUID());
    ordered = placed.root_password ?? '';
    actionId = placed.action.id;
    await finished(actionId);
    server = await getServer(placed.server.id);
  });
  afterAll(() => deleteServers([name]));

  it('is in the answer to the order, and opens the server', async () => {
    expect(ordered.length).toBeGreaterThanOrEqual(16);
    expect(await onServer(server, { password: ordered }, 'hostname')).toBe(name);
  });

  it('is replaced by the next one, which is in the answer too', async () => {
    const answer = await ask(resetPasswordResponse, 'POST', `/servers/${server.id}/actions/reset_password`);
    reset = answer.root_password ?? '';
    await finished(answer.action.id);
    expect(await onServer(server, { password: reset }, 'hostname')).toBe(name);
    await expect(onServer(server, { password: ordered }, 'hostname')).rejects.toThrow();
  });

  it('is not told again', async () => {
    const paths = [`/servers/${server.id}`, `/servers/${server.id}/actions`, `/orders`];
    const answers = await Promise.all(paths.map((path) => send('GET', path)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    for (const secret of [ordered, reset]) expect(JSON.stringify(answers)).not.toContain(secret);
  });

  it('can be looked for: the name of its server is found in every place', async () => {
    await onServer(server, { password: reset }, 'sync');
    // Jobs name their saga alone, so Redis is given something to find; logs name the action.
    await withRedis((redis) => redis.set(`test:${name}`, name, 'EX', 600));
    const places = await placesOf([name, String(actionId)]);
    expect(places).toEqual(expect.arrayContaining(['database', 'redis', join(dataFolder, 'log/worker.log')]));
    expect(places.some((place) => place.includes('/redis/appendonlydir/'))).toBe(true);
    const disk = await filesWith(join(dataFolder, 'lab'), [`${name}\n`]);
    expect(disk.some((path) => path.includes(`servery-${server.id}-1.qcow2`))).toBe(true);
  });

  it('is in no log, row, job or disk', async () => {
    expect(await placesOf([...shapesOf(ordered), ...shapesOf(reset)])).toEqual([]);
  });

  it('is known by its hash to the guest alone', async () => {
    const shadow = await onServer(server, { password: reset }, 'sync; getent shadow root');
    const hash = shadow.split(':')[1] ?? '';
    expect(hash).toMatch(/^\$/);
    const places = await placesOf([hash]);
    expect(places.filter((place) => !place.endsWith(`servery-${server.id}-1.qcow2`))).toEqual([]);
  });

  it('leaves no seed and no secret of the first boot behind', async () => {
    const files = await readdir(join(dataFolder, 'lab'), { recursive: true });
    const volumes = files.filter((file) => file.includes(`servery-${server.id}-`));
    expect(volumes.some((file) => file.endsWith('.qcow2'))).toBe(true);
    expect(volumes.filter((file) => file.includes('seed'))).toEqual([]);
    const query = `SELECT kind FROM server_secrets WHERE server_id = $1 AND kind <> 'root_password'`;
    const kept = await rows(query, [server.id]);
    expect(kept).toEqual([]);
  });
});
