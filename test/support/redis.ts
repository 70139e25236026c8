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
  await untilReady(server, 30, () => answersPing(port));
  return {
    url: `redis://127.0.0.1:${port}`,
    stop: async () => {
      await stopProcess(server, 'SIGTERM');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/**
 * The Redis of the tests at `TEST_REDIS_URL`, in a numbered database of this worker's own, so that one spec file's
 * FLUSHDB does not disturb another's.
 */
export function testRedisUrl(): string {
  const url = process.env.TEST_REDIS_URL;
  if (!url) throw new Error('TEST_REDIS_URL is not set: run the tests through vitest');
  return `${url}/${Number(process.env.VITEST_POOL_ID ?? 0) % 64}`;
}

function answersPing(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(port, '127.0.0.1', () => socket.write('PING\r\n'));
    socket.once('error', reject);
    socket.once('data', () => {
      socket.destroy();
      resolve();
    });
  });
}
