import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Makes a folder in which 8 MiB fit, for as long as `work` takes. Needs root. */
export async function withSmallFolder(path: string, work: () => Promise<void>): Promise<void> {
  await mkdir(path);
  await run('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', path]);
  try {
    await work();
  } finally {
    await run('umount', [path]);
  }
}
