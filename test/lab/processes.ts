import { readdir, readFile, readlink } from 'node:fs/promises';

/** A process as /proc shows it. The start time tells it from a later process with the same id. */
export interface Process {
  readonly pid: number;
  readonly argv: readonly string[];
  /** R, S, D, T (stopped), Z… */
  readonly state: string;
  readonly startTicks: string;
}

/**
 * All processes of the machine. The lab keeps no pid files: what belongs to it is found by what it is
 * (its arguments, its namespaces), so nothing can be stale after a crash or a reboot.
 */
export async function listProcesses(): Promise<Process[]> {
  const entries = await readdir('/proc');
  const found = await Promise.all(
    entries.filter((name) => /^\d+$/.test(name)).map((name) => readProcess(Number(name))),
  );
  return found.filter((process) => process !== undefined);
}

/** The process `pid`, or undefined when there is none (a zombie counts as none). */
export async function readProcess(pid: number): Promise<Process | undefined> {
  try {
    const [stat, cmdline] = await Promise.all([
      readFile(`/proc/${pid}/stat`, 'utf8'),
      readFile(`/proc/${pid}/cmdline`, 'utf8'),
    ]);
    // The command's name, in parentheses, may itself hold spaces and parentheses.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const state = fields[0] ?? '?';
    if (state === 'Z' || state === 'X') return undefined;
    return { pid, argv: cmdline.split('\0').slice(0, -1), state, startTicks: fields[19] ?? '' };
  } catch {
    return undefined;
  }
}

/** Which namespace of a kind a process lives in, such as `net:[4026532008]`; undefined when it is gone. */
export async function namespaceOf(pid: number, kind: 'net' | 'pid'): Promise<string | undefined> {
  return readlink(`/proc/${pid}/ns/${kind}`).catch(() => undefined);
}

/** Sends a signal if `target` is still the same process. */
export async function signal(target: Process, name: NodeJS.Signals): Promise<void> {
  const now = await readProcess(target.pid);
  if (now?.startTicks !== target.startTicks) return;
  try {
    process.kill(target.pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Waits until `condition` holds; false when `timeoutSeconds` pass first. */
export async function waitUntil(condition: () => Promise<boolean>, timeoutSeconds: number): Promise<boolean> {
  const deadline = Date.now() + timeoutSeconds * 1000;
  for (;;) {
    if (await condition()) return true;
    if (Date.now() > deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
}

/** Ends `targets`: SIGTERM, then SIGKILL for those still there after `graceSeconds`; returns when all are gone. */
export async function end(targets: readonly Process[], graceSeconds = 3): Promise<void> {
  const gone = async () => (await Promise.all(targets.map(isGone))).every(Boolean);
  await Promise.all(targets.map((target) => signal(target, 'SIGTERM')));
  if (await waitUntil(gone, graceSeconds)) return;
  await Promise.all(targets.map((target) => signal(target, 'SIGKILL')));
  await waitUntil(gone, 10);
}

async function isGone(target: Process): Promise<boolean> {
  return (await readProcess(target.pid))?.startTicks !== target.startTicks;
}
