import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = resolve(import.meta.dirname, '../..');

/** The operator's command, as the README has it; gives what it printed. @throws with its error when it fails */
export async function servery(...args: string[]): Promise<string> {
  const { stdout } = await run('sh', ['scripts/servery.sh', ...args], { cwd: root, timeout: 120_000 });
  return stdout;
}
