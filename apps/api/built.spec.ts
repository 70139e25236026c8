import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDataSource } from '#libs/database';
import { type BuiltApp, startBuilt } from '../../test/support/built-app.ts';
import { createTestDatabase, type TestDatabase } from '../../test/support/postgres.ts';

const storefront = mkdtempSync(join(tmpdir(), 'servery-storefront-'));
let database: TestDatabase;
let dataSource: DataSource;
let api: BuiltApp;

beforeAll(async () => {
  writeFileSync(join(storefront, 'index.html'), '<title>Servery</title>');
  database = await createTestDatabase();
  dataSource = await createDataSource(database.url, { poolSize: 2 }).initialize();
  api = await startBuilt('api', { DATABASE_URL: database.url, SERVERY_STOREFRONT_DIR: storefront });
});

afterAll(async () => {
  api?.process.kill('SIGKILL');
  await dataSource?.destroy();
  await database?.drop();
  rmSync(storefront, { recursive: true, force: true });
});

describe('the built API', () => {
  it('starts, is ready, and serves the storefront beside the API', async () => {
    const ready = async () => (await fetch(`${api.url}/health/ready`).catch(() => undefined))?.status;
    await expect.poll(ready, { timeout: 50_000, interval: 200 }).toBe(200);
    for (const path of ['/', '/servers/42']) {
      const page = await fetch(api.url + path, { headers: { accept: 'text/html' } });
      expect(await page.text()).toContain('<title>Servery</title>');
      expect(page.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    }
    const unknown = await fetch(`${api.url}/v1/nothing`, { headers: { accept: 'text/html' } });
    expect(unknown.status).toBe(404);
    expect(await unknown.json()).toMatchObject({ error: { code: 'not_found' } });
    expect((await fetch(`${api.url}/v1/servers`)).status).toBe(401);
  });

  it('finishes the request in progress when it is told to stop, takes no other, and exits with 0', async () => {
    const blocker = dataSource.createQueryRunner();
    await blocker.startTransaction();
    await blocker.query('LOCK TABLE projects IN ACCESS EXCLUSIVE MODE');
    const signUp = fetch(`${api.url}/v1/accounts`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ email: 'late@example.com', password: 'correct horse battery' }),
    });
    const waiting = async () =>
      (await dataSource.query('SELECT 1 FROM pg_locks WHERE NOT granted')) as unknown[];
    await expect.poll(waiting, { timeout: 30_000 }).toHaveLength(1);
    const stopped = api.stop();
    const refused = () =>
      fetch(`${api.url}/health/live`).then(
        () => false,
        () => true,
      );
    await expect.poll(refused, { timeout: 30_000 }).toBe(true);
    await blocker.commitTransaction();
    await blocker.release();
    expect((await signUp).status).toBe(201);
    expect(await stopped).toBe(0);
    expect(await dataSource.query('SELECT email FROM accounts')).toEqual([{ email: 'late@example.com' }]);
  });
});
