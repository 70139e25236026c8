import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const exec = promisify(execFile);

/** Of every program that the keeper runs, in and out of the wall. */
export const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Runs a short tool of this machine by its argument array. @throws Error with what it said */
export async function tool(program: string, ...args: readonly string[]): Promise<void> {
  await exec(program, args, { cwd: '/', env: { PATH, LC_ALL: 'C' }, timeout: 60_000 });
}
