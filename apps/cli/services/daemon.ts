import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { sleep } from '#libs/kernel';
import { CliError } from '../cli.errors.ts';
import { writePrivateFile } from './private-file.ts';
import { detachedProcessesIn, end, identify, isAlive } from './process-identity.ts';

/** A process that outlives the command which starts it. */
export interface Daemon {
  /** It has `<folder>/<name>` to itself and works there; it logs to `<folder>/log/<name>.log`. */
  readonly folder: string;
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly environment?: NodeJS.ProcessEnv;
  /** What else, when it changes, asks for a restart: the build, a configuration file. */
  readonly version?: string;
  readonly stopSignal?: NodeJS.Signals;
  readonly stopGraceSeconds?: number;
}

/** Answers whether the process does its work by now. May throw: that counts as no. */
export type ReadyProbe = () => Promise<boolean>;

const pidFileSchema = z.object({
  pid: z.int(),
  startTicks: z.string(),
  bootId: z.string(),
  fingerprint: z.string(),
  stopSignal: z.enum(['SIGTERM', 'SIGINT', 'SIGQUIT']),
  stopGraceSeconds: z.number(),
});
type PidFile = z.infer<typeof pidFileSchema>;

const READY_POLL_MILLISECONDS = 100;
const ORPHAN_GRACE_SECONDS = 20;
const OF_THE_SHELL = new Set(['PATH', 'HOME', 'LANG']);

function homeOf(folder: string, name: string): string {
  return join(folder, name);
}

export function logPath(folder: string, name: string): string {
  return join(folder, 'log', `${name}.log`);
}

/**
 * Makes sure that the daemon runs as described: leaves one alone that does, restarts one whose description
 * changed, starts one that is not there; then waits until `isReady`.
 *
 * @returns true when it had to be started.
 * @throws CliError `daemon_failed` when it ends or is not ready within `readySeconds`; it is stopped then.
 */
export async function ensureDaemon(daemon: Daemon, isReady: ReadyProbe, readySeconds = 60): Promise<boolean> {
  if (await runsAsDescribed(daemon)) {
    // One that is slow on a busy machine is given its time; one that hangs is replaced.
    const isWell = await waitUntilReady(daemon, isReady, readySeconds).then(
      () => true,
      () => false,
    );
    if (isWell) return false;
  }
  await stopDaemon(daemon.folder, daemon.name);
  await start(daemon);
  await waitUntilReady(daemon, isReady, readySeconds);
  return true;
}

async function runsAsDescribed(daemon: Daemon): Promise<boolean> {
  const known = await readPidFile(daemon.folder, daemon.name);
  return known !== undefined && known.fingerprint === fingerprint(daemon) && (await isAlive(known));
}

/** Stops the daemon of that name, if it is ours and runs. @returns true when it ran. */
export async function stopDaemon(folder: string, name: string): Promise<boolean> {
  const known = await readPidFile(folder, name);
  const ran = known !== undefined && (await isAlive(known));
  if (ran) await end(known, known.stopSignal, known.stopGraceSeconds);
  await rm(pidPath(folder, name), { force: true });
  const orphans = await detachedProcessesIn(homeOf(folder, name));
  await Promise.all(orphans.map((orphan) => end(orphan, 'SIGTERM', ORPHAN_GRACE_SECONDS)));
  return ran || orphans.length > 0;
}

/** The process id of a daemon that runs. */
export async function runningPid(folder: string, name: string): Promise<number | undefined> {
  const known = await readPidFile(folder, name);
  return known && (await isAlive(known)) ? known.pid : undefined;
}

async function start(daemon: Daemon): Promise<void> {
  await mkdir(join(daemon.folder, 'log'), { recursive: true });
  await mkdir(homeOf(daemon.folder, daemon.name), { recursive: true });
  const log = await open(logPath(daemon.folder, daemon.name), 'a', 0o600);
  try {
    const child = spawn(daemon.command, [...daemon.args], {
      cwd: homeOf(daemon.folder, daemon.name),
      env: daemon.environment ?? process.env,
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
    });
    await new Promise<void>((resolve, reject) => child.once('spawn', resolve).once('error', reject));
    child.unref();
    const identity = await identify(child.pid as number);
    if (!identity) throw failed(daemon, 'ended at once');
    await writePidFile(daemon, { ...identity, fingerprint: fingerprint(daemon), ...stopping(daemon) });
  } finally {
    await log.close();
  }
}

async function waitUntilReady(daemon: Daemon, isReady: ReadyProbe, readySeconds: number): Promise<void> {
  const deadline = Date.now() + readySeconds * 1000;
  while (!(await answers(isReady))) {
    if ((await runningPid(daemon.folder, daemon.name)) === undefined) throw failed(daemon, 'ended');
    if (Date.now() > deadline) {
      await stopDaemon(daemon.folder, daemon.name);
      throw failed(daemon, `was not ready within ${readySeconds} s`);
    }
    await sleep(READY_POLL_MILLISECONDS);
  }
}

async function answers(isReady: ReadyProbe): Promise<boolean> {
  return isReady().catch(() => false);
}

function failed(daemon: Daemon, what: string): CliError {
  const log = logPath(daemon.folder, daemon.name);
  return new CliError('daemon_failed', `${daemon.name} ${what}. Its log: ${log}`, { log });
}

function stopping(daemon: Daemon): Pick<PidFile, 'stopSignal' | 'stopGraceSeconds'> {
  const stopSignal = pidFileSchema.shape.stopSignal.parse(daemon.stopSignal ?? 'SIGTERM');
  return { stopSignal, stopGraceSeconds: daemon.stopGraceSeconds ?? 20 };
}

/** A hash, since the environment holds secrets. What differs from shell to shell is left out. */
function fingerprint(daemon: Daemon): string {
  const { command, args, environment, version } = daemon;
  const settings = Object.entries(environment ?? {}).filter(([name]) => !OF_THE_SHELL.has(name));
  const description = JSON.stringify({ command, args, settings, version });
  return createHash('sha256').update(description).digest('hex');
}

function pidPath(folder: string, name: string): string {
  return join(homeOf(folder, name), 'daemon.json');
}

async function writePidFile(daemon: Daemon, content: PidFile): Promise<void> {
  await writePrivateFile(pidPath(daemon.folder, daemon.name), `${JSON.stringify(content)}\n`);
}

async function readPidFile(folder: string, name: string): Promise<PidFile | undefined> {
  const text = await readFile(pidPath(folder, name), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    return pidFileSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
