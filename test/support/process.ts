import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { geteuid } from 'node:process';

export const runsAsRoot: boolean = geteuid?.() === 0;

/** The command and arguments that run `file` as `user` when we are root, and as ourselves otherwise. */
export function asUser(user: string, file: string, args: readonly string[]): [string, string[]] {
  if (!runsAsRoot) return [file, [...args]];
  return ['setpriv', [`--reuid=${user}`, `--regid=${user}`, '--init-groups', '--', file, ...args]];
}

/** Starts a server that dies with us; what it says goes to `logPath`. */
export function startServer(file: string, args: readonly string[], logPath: string): ChildProcess {
  const log = openSync(logPath, 'a');
  try {
    return spawn('setpriv', ['--pdeathsig=INT', '--', file, ...args], { stdio: ['ignore', log, log] });
  } finally {
    closeSync(log);
  }
}

/** Stops a process that we started, and returns when it is gone. */
export async function stopProcess(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill(signal);
  await gone;
}

/** Calls `probe` until it passes. @throws its last error when `child` ends before, or after `seconds`. */
export async function untilReady(child: ChildProcess, seconds: number, probe: () => Promise<void>) {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    try {
      return await probe();
    } catch (error) {
      if (Date.now() > deadline || child.exitCode !== null) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
