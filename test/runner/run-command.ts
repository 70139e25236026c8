import { type ChildProcess, spawn } from 'node:child_process';
import { open } from 'node:fs/promises';
import { setPriority } from 'node:os';
import type { Command } from './suites.ts';
import { root } from './suites.ts';

const KILL_AFTER_MILLISECONDS = 20_000;

/**
 * How far a program that runs beside others steps back: of two that want a processor, it gets a quarter. Much less, and
 * calls that it makes to itself take longer than their time.
 */
const BESIDE_NICENESS = 5;

/** The programs that run now, so that a signal to us reaches them. */
const running = new Set<ChildProcess>();

export interface RunOptions {
  readonly environment: NodeJS.ProcessEnv;
  /** Past its time the whole process group is killed. */
  readonly minutes: number;
  /** Runs beside others and gives way to them; what it says goes into this file instead of being shown as it comes. */
  readonly logFile?: string | undefined;
}

/**
 * Runs a program to its end.
 * @returns its exit code; null when it was killed or could not start.
 */
export async function runCommand(
  command: Command,
  { environment, minutes, logFile }: RunOptions,
): Promise<number | null> {
  const log = logFile === undefined ? undefined : await open(logFile, 'w');
  const child = spawn(command.program, [...command.args], {
    cwd: root,
    env: { ...process.env, ...environment },
    stdio: ['ignore', log?.fd ?? 'inherit', log?.fd ?? 'inherit'],
    detached: true,
  });
  running.add(child);
  if (log && child.pid !== undefined) setPriority(child.pid, BESIDE_NICENESS);
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
  running.delete(child);
  await log?.close();
  return code;
}

/** Ends what runs now, and all that it started. */
export async function endRunning(): Promise<void> {
  await Promise.all([...running].map(endGroup));
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
