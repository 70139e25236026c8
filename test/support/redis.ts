import { mkdtemp, rm } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './ports.ts';
import type { TestServer } from './postgres.ts';
import { startServer, stopProcess, untilReady } from './process.ts';

/** Starts a Redis of our own that keeps nothing on disk. */
export async function startRedis(): Promise<TestServer> {
  const folder = await mkdtemp(join(tmpdir(), 'servery-redis-'));
  const port = await freePort();
  const settings = ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', folder, '--save', ''];
  const server = startServer('redis-server', [...settings, '--databases', '64'], '/dev/null');
  await untilReady(server, 30, () => send(port, ['PING']));
  return {
    url: `redis://127.0.0.1:${port}`,
    stop: async () => {
      await stopProcess(server, 'SIGTERM');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The Redis of the tests at `TEST_REDIS_URL`, in a numbered database of this worker's own. */
export function testRedisUrl(): string {
  return `${serverUrl()}/${databaseNumber()}`;
}

/** Empties this worker's database: no spec file counts or queues on what the one before it left. */
export async function emptyTestRedis(): Promise<void> {
  await send(Number(new URL(serverUrl()).port), [`SELECT ${databaseNumber()}`, 'FLUSHDB']);
}

function serverUrl(): string {
  const url = process.env.TEST_REDIS_URL;
  if (!url) throw new Error('TEST_REDIS_URL is not set: run the tests through vitest');
  return url;
}

function databaseNumber(): number {
  return Number(process.env.VITEST_POOL_ID ?? 0) % 64;
}

/** Sends inline commands and resolves when each was answered; rejects with the first error. */
function send(port: number, commands: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    let answers = '';
    const socket = createConnection(port, '127.0.0.1', () => socket.write(`${commands.join('\r\n')}\r\n`));
    socket.once('error', reject);
    socket.on('data', (chunk) => {
      answers += chunk;
      const lines = answers.split('\r\n').slice(0, -1);
      const error = lines.find((line) => line.startsWith('-'));
      if (error === undefined && lines.length < commands.length) return;
      socket.destroy();
      if (error === undefined) resolve();
      else reject(new Error(error));
    });
  });
}
