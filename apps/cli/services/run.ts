import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { CliError } from '../cli.errors.ts';

const exec = promisify(execFile);

/**
 * Runs a program to its end, without a shell, and returns what it wrote.
 * @throws CliError `command_failed` with what the program said.
 */
export async function run(program: string, args: readonly string[], timeoutSeconds: number): Promise<string> {
  try {
    const { stdout } = await exec(program, [...args], {
      cwd: '/',
      timeout: timeoutSeconds * 1000,
      killSignal: 'SIGKILL',
      maxBuffer: 16 * 1024 * 1024,
    });
    return stdout;
  } catch (cause) {
    const failure = cause as { killed?: boolean; stderr?: string; message?: string };
    const why = failure.killed
      ? `no end within ${timeoutSeconds} s`
      : failure.stderr?.trim() || failure.message;
    throw new CliError('command_failed', `${program}: ${why}`, { cause });
  }
}
