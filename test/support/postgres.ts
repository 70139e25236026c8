import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { createDataSource, migrate } from '#libs/database';
import { freePort } from './ports.ts';
import { asUser, runsAsRoot, startServer, stopProcess, untilReady } from './process.ts';

const run = promisify(execFile);
const USER = 'postgres';
/** Whom tests connect as: an owner without privileges, as the application's role is. */
const ROLE = 'servery_test';

export interface TestServer {
  readonly url: string;
  stop(): Promise<void>;
}

export interface TestDatabase {
  readonly url: string;
  readonly superuserUrl: string;
  drop(): Promise<void>;
}

/** Starts a PostgreSQL of our own in a temporary folder: fast, and not durable. */
export async function startPostgres(): Promise<TestServer> {
  const folder = await mkdtemp(join(tmpdir(), 'servery-pg-'));
  const data = join(folder, 'data');
  if (runsAsRoot) await run('chown', [USER, folder]);
  const initdb = ['-D', data, '-U', USER, '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8', '--no-sync'];
  await run(...asUser(USER, binary('initdb'), initdb), { timeout: 120_000, cwd: folder });
  const port = await freePort();
  const settings = [
    `port=${port}`,
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    'fsync=off',
    'full_page_writes=off',
    'synchronous_commit=off',
    'max_connections=200',
    'shared_buffers=64MB',
  ];
  const args = ['-D', data, ...settings.flatMap((setting) => ['-c', setting])];
  const server = startServer(...asUser(USER, binary('postgres'), args), '/dev/null');
  const url = `postgres://${USER}@127.0.0.1:${port}/postgres`;
  await untilReady(server, 60, () => withAdmin(url, async () => {}));
  return {
    url,
    stop: async () => {
      await stopProcess(server, 'SIGINT');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/**
 * A fresh, migrated database on the server at `TEST_DATABASE_URL`. The migrations run once per state of the
 * `migrations/` folder; every database is a copy of that template.
 */
export async function createTestDatabase(): Promise<TestDatabase> {
  const serverUrl = process.env.TEST_DATABASE_URL;
  if (!serverUrl) throw new Error('TEST_DATABASE_URL is not set: run the tests through vitest');
  const template = `servery_template_${migrationsHash()}`;
  const name = `servery_test_${randomBytes(6).toString('hex')}`;
  await withAdmin(serverUrl, async (admin) => {
    await admin.query('SELECT pg_advisory_lock(7370210402)');
    await createRole(admin);
    await createTemplate(admin, serverUrl, template);
    await admin.query(`CREATE DATABASE ${name} TEMPLATE ${template} OWNER ${ROLE}`);
  });
  return {
    url: databaseUrl(serverUrl, name),
    superuserUrl: superuserUrl(serverUrl, name),
    drop: () =>
      withAdmin(serverUrl, async (admin) => {
        await admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
      }),
  };
}

/** What `pg_dump` keeps of a database, as an operator's backup does. */
export async function backUp(url: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'servery-backup-'));
  const file = join(folder, 'servery.dump');
  await run(binary('pg_dump'), ['--format=custom', `--file=${file}`, url]);
  return file;
}

/** Another database, made of such a backup, which is removed. */
export async function restore(file: string): Promise<TestDatabase> {
  const database = await createTestDatabase();
  const args = ['--clean', '--if-exists', '--exit-on-error', `--dbname=${database.url}`, file];
  await run(binary('pg_restore'), args);
  await rm(dirname(file), { recursive: true });
  return database;
}

async function createRole(admin: pg.Client): Promise<void> {
  const found = await admin.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [ROLE]);
  if (found.rowCount === 0) await admin.query(`CREATE ROLE ${ROLE} LOGIN PASSWORD '${ROLE}'`);
}

async function createTemplate(admin: pg.Client, serverUrl: string, template: string): Promise<void> {
  const found = await admin.query('SELECT 1 FROM pg_database WHERE datname = $1', [template]);
  if (found.rowCount) return;
  const draft = `${template}_draft`;
  await admin.query(`DROP DATABASE IF EXISTS ${draft} WITH (FORCE)`);
  await admin.query(`CREATE DATABASE ${draft} OWNER ${ROLE}`);
  const dataSource = createDataSource(databaseUrl(serverUrl, draft), { poolSize: 2 });
  await dataSource.initialize();
  try {
    await migrate(dataSource);
  } finally {
    await dataSource.destroy();
  }
  await admin.query(`ALTER DATABASE ${draft} RENAME TO ${template}`);
}

function migrationsHash(): string {
  const folder = join(import.meta.dirname, '../../migrations');
  const hash = createHash('sha256');
  for (const file of globSync('*.ts', { cwd: folder }).sort()) hash.update(readFileSync(join(folder, file)));
  return hash.digest('hex').slice(0, 12);
}

async function withAdmin(url: string, fn: (admin: pg.Client) => Promise<void>): Promise<void> {
  const admin = new pg.Client({ connectionString: url });
  admin.on('error', () => {});
  await admin.connect();
  try {
    await fn(admin);
  } finally {
    await admin.end();
  }
}

function databaseUrl(serverUrl: string, name: string): string {
  const url = new URL(superuserUrl(serverUrl, name));
  Object.assign(url, { username: ROLE, password: ROLE });
  return url.toString();
}

function superuserUrl(serverUrl: string, name: string): string {
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return url.toString();
}

/** Debian keeps the server's programs out of PATH; the newest version wins. */
function binary(name: string): string {
  const versions = globSync(`/usr/lib/postgresql/*/bin/${name}`).sort((a, b) =>
    a.localeCompare(b, 'en', { numeric: true }),
  );
  return versions.at(-1) ?? name;
}
