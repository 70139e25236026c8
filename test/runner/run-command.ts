import { type ChildProcess, spawn } from 'node:child_process';
import type { Command } from './suites.ts';
import { root } from './suites.ts';

const KILL_AFTER_MILLISECONDS = 20_000;

/** The programs that run now, so that a signal to us reaches them. */
const current = new Set<ChildProcess>();

/**
 * Runs a program to its end, its output shown as it comes. Past its time the whole process group is killed.
 * @returns its exit code; null when it was killed or could not start.
 */
export async function runCommand(
  command: Command,
  environment: NodeJS.ProcessEnv,
  minutes: number,
): Promise<number | null> {
  const child = spawn(command.program, [...command.args], {
    cwd: root,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'inherit', 'inherit'],
    detached: true,
  });
  current.add(child);
  const timer = setTimeout(() => {
    process.stdout.write(`✖ no end within ${minutes} minutes: ${command.title}\n`);
    void endGroup(child);
  }, minutes * 60_000);
  const code = await new Promise<number | null>((resolve) => {
    child.once('close', resolve);
    child.once('error', (error) => {
      process.stdout.write(`✖ ${command.title}: ${error.message}\n`);
      resolve(null);
    });
  });
  clearTimeout(timer);
  // Whatever it left behind in its group must not disturb the next one.
  signalGroup(child, 'SIGKILL');
  current.delete(child);
  return code;
}

/** Ends what runs now, and all that it started. */
export async function endCurrent(): Promise<void> {
  await Promise.all([...current].map(endGroup));
}

async function endGroup(child: ChildProcess): Promise<void> {
  const gone = new Promise((resolve) => child.once('close', resolve));
  signalGroup(child, 'SIGTERM');
  const timer = setTimeout(() => signalGroup(child, 'SIGKILL'), KILL_AFTER_MILLISECONDS);
  await gone;
  clearTimeout(timer);
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
