import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

/** Of every program that the keeper runs, in and out of the wall. */
export const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** What a tool finds under its descriptor 3. */
export const GIVEN_FILE = '/proc/self/fd/3';

/** Runs a short tool of this machine by its argument array. `file` is an open descriptor for it. @throws Error with what it said */
export async function tool(argv: readonly [string, ...string[]], file?: number): Promise<void> {
  const [program, ...args] = argv;
  const stdio = ['ignore', 'ignore', 'pipe', ...(file === undefined ? [] : [file])] as const;
  const child = spawn(program, args, {
    cwd: '/',
    env: { PATH, LC_ALL: 'C' },
    stdio: [...stdio],
    timeout: 60_000,
  });
  const [said, [exitCode]] = await Promise.all([
    child.stderr ? text(child.stderr) : '',
    once(child, 'close'),
  ]);
  if (exitCode !== 0) throw new Error(`${argv.join(' ')}: ${said.trim()}`);
}
