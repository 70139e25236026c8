import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../test/support/ports.ts';
import { createTestDatabase, type TestDatabase } from '../../test/support/postgres.ts';
import { testRedisUrl } from '../../test/support/redis.ts';

const main = fileURLToPath(new URL('../../dist/apps/api/main.js', import.meta.url));
const storefront = mkdtempSync(join(tmpdir(), 'servery-storefront-'));
let database: TestDatabase;
let api: ChildProcess;
let url = '';

beforeAll(async () => {
  if (!existsSync(main)) throw new Error('the API is not built: npm run build:server');
  writeFileSync(join(storefront, 'index.html'), '<title>Servery</title>');
  database = await createTestDatabase();
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  api = spawn(process.execPath, [main], {
    stdio: 'ignore',
    env: {
      PATH: process.env.PATH,
      LOG_LEVEL: 'error',
      DATABASE_URL: database.url,
      REDIS_URL: testRedisUrl(),
      SERVERY_URL: url,
      SERVERY_PORT: String(port),
      SERVERY_SECRET_KEY: randomBytes(32).toString('base64'),
      SERVERY_STOREFRONT_DIR: storefront,
      STRIPE_SECRET_KEY: 'sk_test_unused',
      STRIPE_WEBHOOK_SECRET: 'whsec_unused',
      STRIPE_API_HOST: '127.0.0.1',
      STRIPE_API_PORT: '1',
    },
  });
});

afterAll(async () => {
  api?.kill('SIGKILL');
  await database?.drop();
  rmSync(storefront, { recursive: true, force: true });
});

describe('the built API', () => {
  it('starts, is ready, and serves the storefront beside the API', async () => {
    const ready = async () => (await fetch(`${url}/health/ready`).catch(() => undefined))?.status;
    await expect.poll(ready, { timeout: 50_000, interval: 200 }).toBe(200);
    for (const path of ['/', '/servers/42']) {
      const page = await fetch(url + path, { headers: { accept: 'text/html' } });
      expect(await page.text()).toContain('<title>Servery</title>');
      expect(page.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    }
    const unknown = await fetch(`${url}/v1/nothing`, { headers: { accept: 'text/html' } });
    expect(unknown.status).toBe(404);
    expect(await unknown.json()).toMatchObject({ error: { code: 'not_found' } });
    expect((await fetch(`${url}/v1/servers`)).status).toBe(401);
  });

  it('ends by itself when it is told to stop', async () => {
    const exited = once(api, 'exit');
    api.kill('SIGTERM');
    const [code, signal] = await exited;
    expect([code, signal]).not.toEqual([1, null]);
    await expect(fetch(`${url}/health/live`)).rejects.toThrow();
  });
});
