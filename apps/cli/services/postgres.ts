import { randomBytes } from 'node:crypto';
import { access, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { z } from 'zod';
import { CliError } from '../cli.errors.ts';
import { type Daemon, ensureDaemon, runningPid, stopDaemon } from './daemon.ts';
import { freePort } from './ports.ts';
import { writePrivateFile } from './private-file.ts';
import { run } from './run.ts';
import { type RunAs, runAs } from './unprivileged.ts';

export interface PostgresOptions {
  /** It lives in `<folder>/postgres`, and logs to `<folder>/log/postgres.log`. */
  readonly folder: string;
  /** Server settings beyond the defaults, such as `{ fsync: 'off' }` for data that nobody misses. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** Older clusters have one role, which may do anything; it stays so. */
const instanceSchema = z.object({
  port: z.int(),
  password: z.string(),
  superuserPassword: z.string().optional(),
});
type Instance = z.infer<typeof instanceSchema>;

const NAME = 'postgres';
const SUPERUSER = 'postgres';
/** The application's role, and its database. It is no superuser: what is revoked from it, it cannot do. */
const DATABASE = 'servery';
const PREFERRED_PORT = 25432;

/**
 * A private PostgreSQL with a database `servery`: made when it is not there, started when it does not run. Safe
 * to repeat, also after a kill at any point. It listens at 127.0.0.1 alone and asks for a password.
 *
 * @returns its URL. Stop it with `stopDaemon(folder, 'postgres')`.
 */
export async function ensurePostgres(options: PostgresOptions): Promise<string> {
  const home = join(options.folder, NAME);
  await mkdir(home, { recursive: true, mode: 0o700 });
  const as = await runAs(NAME, home);
  const instance = await withFreePort(options.folder, await ensureCluster(home, as));
  await ensureDaemon(await daemonOf(options, home, as, instance.port), () => connects(instance));
  await ensureDatabase(instance);
  return urlOf(instance);
}

/**
 * Whom the server obeys in everything, for what the application's role may not do. `folder` is that of `ensurePostgres`.
 * @throws Error where no PostgreSQL was made there
 */
export async function superuserUrl(folder: string): Promise<string> {
  const instance = await readInstance(join(folder, NAME));
  if (!instance) throw new Error(`There is no PostgreSQL in ${folder}.`);
  return adminUrlOf(instance);
}

/** Another process may have taken the port since the last run, say after a reboot. */
async function withFreePort(folder: string, instance: Instance): Promise<Instance> {
  if (await runningPid(folder, NAME)) return instance;
  await stopDaemon(folder, NAME);
  const port = await freePort(instance.port);
  if (port === instance.port) return instance;
  const moved = { ...instance, port };
  await writePrivateFile(join(folder, NAME, 'instance.json'), JSON.stringify(moved));
  return moved;
}

async function daemonOf(options: PostgresOptions, home: string, as: RunAs, port: number): Promise<Daemon> {
  const data = join(home, 'data');
  const settings = {
    listen_addresses: '127.0.0.1',
    port: String(port),
    // Its path would end at 107 bytes, and nobody needs it.
    unix_socket_directories: '',
    max_connections: '200',
    ...options.settings,
  };
  const args = [
    '-D',
    data,
    ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ];
  return {
    folder: options.folder,
    name: NAME,
    ...as(join(await binaries(data), 'postgres'), args),
    // "Fast": rolls open transactions back and writes a checkpoint; SIGTERM would wait for every client to leave.
    stopSignal: 'SIGINT',
    stopGraceSeconds: 60,
  };
}

/** The data directory appears under its name only when it is complete. */
async function ensureCluster(home: string, as: RunAs): Promise<Instance> {
  const known = await readInstance(home);
  if (known && (await exists(join(home, 'data', 'PG_VERSION')))) return known;
  const draft = join(home, 'data.new');
  await rm(draft, { recursive: true, force: true });
  const password = () => randomBytes(24).toString('hex');
  const superuserPassword = password();
  const instance = { port: await freePort(PREFERRED_PORT), password: password(), superuserPassword };
  await initialize(home, draft, as, superuserPassword);
  await writePrivateFile(join(home, 'instance.json'), JSON.stringify(instance));
  await rename(draft, join(home, 'data'));
  return instance;
}

async function initialize(home: string, draft: string, as: RunAs, password: string): Promise<void> {
  const passwordFile = join(home, 'password.new');
  await writeFile(passwordFile, password, { mode: 0o600 });
  try {
    await giveTo(as, home, passwordFile);
    const { command, args } = as(join(await binaries(draft), 'initdb'), [
      `--pgdata=${draft}`,
      `--username=${SUPERUSER}`,
      `--pwfile=${passwordFile}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      '--locale=C.UTF-8',
    ]);
    await run(command, args, 120);
  } finally {
    await rm(passwordFile, { force: true });
  }
}

/** A file of the same owner as its folder. */
async function giveTo(as: RunAs, home: string, file: string): Promise<void> {
  if (as('true', []).command !== 'true') await run('chown', [`--reference=${home}`, file], 10);
}

async function ensureDatabase(instance: Instance): Promise<void> {
  const client = new pg.Client(adminUrlOf(instance));
  await client.connect();
  try {
    const name = pg.escapeIdentifier(DATABASE);
    const role = await client.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [DATABASE]);
    if (role.rowCount === 0) {
      await client.query(`CREATE ROLE ${name} LOGIN PASSWORD ${pg.escapeLiteral(instance.password)}`);
    }
    const found = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [DATABASE]);
    if (found.rowCount === 0) await client.query(`CREATE DATABASE ${name} OWNER ${name}`);
  } finally {
    await client.end();
  }
}

async function connects(instance: Instance): Promise<boolean> {
  const client = new pg.Client({
    connectionString: adminUrlOf(instance),
    connectionTimeoutMillis: 2000,
  });
  client.on('error', () => undefined);
  await client.connect();
  await client.end();
  return true;
}

function urlOf({ port, password }: Instance): string {
  return `postgres://${DATABASE}:${password}@127.0.0.1:${port}/${DATABASE}`;
}

function adminUrlOf({ port, password, superuserPassword }: Instance): string {
  const login = superuserPassword ? `${SUPERUSER}:${superuserPassword}` : `${DATABASE}:${password}`;
  return `postgres://${login}@127.0.0.1:${port}/postgres`;
}

/** The folder of PostgreSQL's programs: the release that made `data`, else the newest of the machine. */
async function binaries(data: string): Promise<string> {
  const root = '/usr/lib/postgresql';
  const made = await readFile(join(data, 'PG_VERSION'), 'utf8').catch(() => undefined);
  const installed = await readdir(root).catch((): string[] => []);
  const newest = installed.filter((name) => /^\d+$/.test(name)).sort((a, b) => Number(b) - Number(a))[0];
  const release = made?.trim() ?? newest;
  if (release === undefined || !installed.includes(release)) {
    const wanted = release === undefined ? 'postgresql' : `postgresql-${release}`;
    throw new CliError(
      'not_installed',
      `PostgreSQL is not installed under ${root}. Run: apt-get install ${wanted}`,
    );
  }
  return join(root, release, 'bin');
}

async function readInstance(home: string): Promise<Instance | undefined> {
  const text = await readFile(join(home, 'instance.json'), 'utf8').catch(() => undefined);
  const parsed = instanceSchema.safeParse(text === undefined ? undefined : JSON.parse(text));
  return parsed.success ? parsed.data : undefined;
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
