import { randomBytes } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { z } from 'zod';
import { ensureDaemon, runningPid, stopDaemon } from './daemon.ts';
import { freePort } from './ports.ts';
import { writePrivateFile } from './private-file.ts';
import { run } from './run.ts';
import { runAs } from './unprivileged.ts';

export interface RedisOptions {
  /** It lives in `<folder>/redis`, and logs to `<folder>/log/redis.log`. */
  readonly folder: string;
}

const instanceSchema = z.object({ port: z.int(), password: z.string() });
type Instance = z.infer<typeof instanceSchema>;

const NAME = 'redis';
const PREFERRED_PORT = 26379;

/**
 * A private Redis that keeps its data over a restart: started when it does not run. Safe to repeat. It listens at
 * 127.0.0.1 alone and asks for a password.
 *
 * @returns its URL. Stop it with `stopDaemon(folder, 'redis')`.
 */
export async function ensureRedis(options: RedisOptions): Promise<string> {
  const home = join(options.folder, NAME);
  await mkdir(home, { recursive: true, mode: 0o700 });
  const as = await runAs(NAME, home);
  const running = (await runningPid(options.folder, NAME)) !== undefined;
  if (!running) await stopDaemon(options.folder, NAME);
  const known = await readInstance(home);
  const port = running && known ? known.port : await freePort(known?.port ?? PREFERRED_PORT);
  const instance = { port, password: known?.password ?? randomBytes(24).toString('hex') };
  await writePrivateFile(join(home, 'instance.json'), JSON.stringify(instance));
  await writeConfiguration(home, instance);
  const daemon = { folder: options.folder, name: NAME, ...as('redis-server', [join(home, 'redis.conf')]) };
  await ensureDaemon({ ...daemon, version: String(port) }, () => answersPing(instance));
  return `redis://:${instance.password}@127.0.0.1:${instance.port}/0`;
}

async function writeConfiguration(home: string, instance: Instance): Promise<void> {
  const file = join(home, 'redis.conf');
  const settings: Record<string, string> = {
    bind: '127.0.0.1',
    port: String(instance.port),
    requirepass: instance.password,
    // The daemon starts in its own folder.
    dir: '.',
    appendonly: 'yes',
    save: '""',
    // BullMQ loses jobs under any other policy.
    'maxmemory-policy': 'noeviction',
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} ${value}\n`);
  await writePrivateFile(file, lines.join(''));
  if (process.getuid?.() === 0) await run('chown', [`--reference=${home}`, file], 10);
}

/** Speaks the protocol's two lines by itself, so that the one client library stays where queues are. */
function answersPing(instance: Instance): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(instance.port, '127.0.0.1');
    let answer = '';
    socket.setTimeout(2000, () => socket.destroy());
    socket.on('connect', () => socket.write(`AUTH ${instance.password}\r\nPING\r\nQUIT\r\n`));
    socket.on('data', (chunk) => {
      answer += chunk.toString();
    });
    socket.on('error', () => resolve(false));
    socket.on('close', () => resolve(answer.includes('+PONG')));
  });
}

async function readInstance(home: string): Promise<Instance | undefined> {
  const text = await readFile(join(home, 'instance.json'), 'utf8').catch(() => undefined);
  return text === undefined ? undefined : instanceSchema.parse(JSON.parse(text));
}
