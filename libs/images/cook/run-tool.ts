import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { type ProcessEnd, sayEnd } from '#libs/kernel';
import { cookError, refuseCancelled } from './cook.errors.ts';

const REMEMBERED_LINES = 20;

export interface ToolOptions {
  /** Without it, it may take as long as whoever called us. */
  readonly timeoutSeconds?: number;
  readonly signal?: AbortSignal | undefined;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly input?: string;
  /** Each line of both outputs, as it comes. */
  readonly onLine?: (line: string) => void;
}

/** The environment of every tool: nothing of the caller's shell may reach the image's bytes. */
export const cleanEnvironment = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: '/root',
  LC_ALL: 'C.UTF-8',
  TZ: 'UTC',
  DEBIAN_FRONTEND: 'noninteractive',
  PYTHONHASHSEED: '0',
};

/**
 * Runs a tool by its argument array and returns what it wrote on standard output.
 *
 * `setpriv --pdeathsig` lets the tool die with us, even when we are killed by force: a cook leaves no process
 * behind.
 * @throws DomainError `cook_step_failed` (with the tool's last lines), `cook_tool_too_slow`, `cook_cancelled`
 */
export async function runTool(
  argv: readonly [string, ...string[]],
  options: ToolOptions = {},
): Promise<string> {
  const { timeoutSeconds } = options;
  refuseCancelled(options.signal);
  return new Promise((resolve, reject) => {
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', ...argv], {
      cwd: options.cwd ?? '/',
      env: { ...cleanEnvironment, ...options.env },
      stdio: 'pipe',
      // A group of its own, so that what it has started ends with it and lets go of its pipes.
      detached: true,
    });
    const output: string[] = [];
    const lastLines: string[] = [];
    const take = (line: string) => {
      lastLines.push(line);
      if (lastLines.length > REMEMBERED_LINES) lastLines.shift();
      options.onLine?.(line);
    };
    createInterface({ input: child.stdout }).on('line', (line) => {
      output.push(line);
      take(line);
    });
    createInterface({ input: child.stderr }).on('line', take);
    const end = () => killGroup(child);
    options.signal?.addEventListener('abort', end, { once: true });
    const late = timeoutSeconds === undefined ? undefined : AbortSignal.timeout(timeoutSeconds * 1000);
    late?.addEventListener('abort', end, { once: true });
    child.on('error', (cause) => reject(unstartable(argv, cause.message)));
    child.on('close', (exitCode, signal) => {
      options.signal?.removeEventListener('abort', end);
      late?.removeEventListener('abort', end);
      if (options.signal?.aborted) reject(cookError('cook_cancelled', 'The cook was cancelled.'));
      else if (exitCode === 0) resolve(output.join('\n'));
      else if (late?.aborted) reject(tooSlow(argv, `${timeoutSeconds} s`, lastLines));
      else reject(failed(argv, { exitCode, signal }, lastLines));
    });
    child.stdin.on('error', () => {});
    child.stdin.end(options.input ?? '');
  });
}

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function tooSlow(argv: readonly string[], after: string, lastLines: readonly string[]) {
  const message =
    `${argv[0]} had not ended after ${after}, so it was stopped. ` +
    'Cook again when the machine that builds, or the mirror of Debian, has less to do.';
  return cookError('cook_tool_too_slow', message, { details: { tool: argv[0], lastLines } });
}

function unstartable(argv: readonly string[], why: string) {
  const details = { tool: argv[0], lastLines: [] };
  return cookError('cook_step_failed', `${nameOf(argv)} cannot be started: ${why}`, { details });
}

function failed(argv: readonly string[], end: ProcessEnd, lastLines: readonly string[]) {
  const said = lastLines.length > 0 ? `\n  ${lastLines.join('\n  ')}` : '';
  return cookError('cook_step_failed', `${nameOf(argv)} ${sayEnd(end)}${said}`, {
    details: { tool: argv[0], lastLines, ...end },
  });
}

function nameOf(argv: readonly string[]): string {
  return argv.join(' ').slice(0, 200);
}
