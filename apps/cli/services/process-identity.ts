import { readdir, readFile, readlink } from 'node:fs/promises';
import { sleep } from '#libs/kernel';

/** A process told from every later one that gets its id: by its start, in clock ticks since the machine's boot. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startTicks: string;
  readonly bootId: string;
}

const POLL_MILLISECONDS = 50;

/** A line of /proc/PID/stat, as far as it matters here. */
interface Stat {
  readonly pid: number;
  readonly parent: number;
  readonly session: number;
  readonly terminal: number;
  readonly startTicks: string;
}

/** Who runs under `pid` now; undefined when nobody does (a zombie counts as nobody). */
export async function identify(pid: number): Promise<ProcessIdentity | undefined> {
  const stat = await readStat(pid);
  if (!stat) return undefined;
  const bootId = await readFile('/proc/sys/kernel/random/boot_id', 'utf8');
  return { pid, startTicks: stat.startTicks, bootId: bootId.trim() };
}

/**
 * The detached processes whose working folder is `folder` or lies in it, children of others among them left out:
 * those that a command started and could not write down before it was killed.
 */
export async function detachedProcessesIn(folder: string): Promise<ProcessIdentity[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const inside = (await Promise.all(pids.map((pid) => statIfInside(pid, folder)))).filter(
    (stat) => stat !== undefined,
  );
  const found = new Set(inside.map((stat) => stat.pid));
  const roots = inside.filter((stat) => !found.has(stat.parent));
  return (await Promise.all(roots.map((stat) => identify(stat.pid)))).filter((one) => one !== undefined);
}

async function statIfInside(pid: number, folder: string): Promise<Stat | undefined> {
  const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => '');
  if (cwd !== folder && !cwd.startsWith(`${folder}/`)) return undefined;
  const stat = await readStat(pid);
  return stat?.session === pid && stat.terminal === 0 ? stat : undefined;
}

async function readStat(pid: number): Promise<Stat | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  // The command's name, in parentheses, may itself hold spaces and parentheses.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
  const [, parent, , session, terminal] = fields.map(Number);
  return {
    pid,
    parent: parent ?? 0,
    session: session ?? 0,
    terminal: terminal ?? 0,
    startTicks: fields[19] ?? '',
  };
}

/** True while `known` still runs; false for a stranger with its id, after its end or after a reboot. */
export async function isAlive(known: ProcessIdentity): Promise<boolean> {
  const now = await identify(known.pid);
  return now?.startTicks === known.startTicks && now.bootId === known.bootId;
}

/** Sends a signal, and only to the very process that is meant. */
export async function signal(known: ProcessIdentity, name: NodeJS.Signals): Promise<void> {
  if (!(await isAlive(known))) return;
  try {
    process.kill(known.pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Ends a process: `first`, then SIGKILL after `graceSeconds`. Returns when it is gone. */
export async function end(
  known: ProcessIdentity,
  first: NodeJS.Signals,
  graceSeconds: number,
): Promise<void> {
  await signal(known, first);
  if (await isGoneWithin(known, graceSeconds)) return;
  await signal(known, 'SIGKILL');
  if (!(await isGoneWithin(known, 10))) throw new Error(`process ${known.pid} does not end, even by SIGKILL`);
}

async function isGoneWithin(known: ProcessIdentity, seconds: number): Promise<boolean> {
  const deadline = Date.now() + seconds * 1000;
  while (await isAlive(known)) {
    if (Date.now() > deadline) return false;
    await sleep(POLL_MILLISECONDS);
  }
  return true;
}
