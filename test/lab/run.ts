import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { LabError } from './lab.errors.ts';

const exec = promisify(execFile);

/** Debian keeps half of the lab's tools in sbin, which a plain user's PATH lacks. */
const ENVIRONMENT = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: '/root',
  LC_ALL: 'C',
};

/**
 * Runs a program to its end and returns what it wrote. No shell; in `folder`; at most `timeoutSeconds`.
 * @throws LabError `command_failed` with what the program said
 */
export async function run(
  program: string,
  args: readonly string[],
  timeoutSeconds = 20,
  folder = '/',
): Promise<string> {
  try {
    const { stdout } = await exec(program, [...args], {
      env: ENVIRONMENT,
      cwd: folder,
      timeout: timeoutSeconds * 1000,
      killSignal: 'SIGKILL',
      maxBuffer: 16 * 1024 * 1024,
    });
    return stdout;
  } catch (cause) {
    throw new LabError(
      'command_failed',
      `${program} ${args.join(' ')}: ${whyFailed(cause, timeoutSeconds)}`,
      cause,
    );
  }
}

/** Like `run`, but a failure is an answer: undefined. For questions such as "does it exist?". */
export async function tryRun(
  program: string,
  args: readonly string[],
  timeoutSeconds = 20,
): Promise<string | undefined> {
  return run(program, args, timeoutSeconds).catch(() => undefined);
}

function whyFailed(cause: unknown, timeoutSeconds: number): string {
  const failure = cause as { killed?: boolean; code?: unknown; stderr?: string; message?: string };
  if (failure.killed) return `no answer within ${timeoutSeconds} s`;
  return failure.stderr?.trim() || failure.message || `exit ${String(failure.code)}`;
}
