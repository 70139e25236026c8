import { spawn } from 'node:child_process';
import type { FileHandle } from 'node:fs/promises';
import { diskError } from './disk-files.errors.ts';

/**
 * Gives a nameless file its name, in one step that happens or does not: linkat(2), which Node lacks, by
 * coreutils' ln, which refuses a name that is taken.
 * @throws DomainError `disk_output_exists`
 */
export async function publish(file: FileHandle, path: string): Promise<void> {
  const child = spawn('ln', ['--logical', '--no-target-directory', '--', '/proc/self/fd/3', path], {
    stdio: ['ignore', 'ignore', 'pipe', file.fd],
    env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' },
  });
  const code = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
  if (code !== 0)
    throw diskError(
      'disk_output_exists',
      `The converted disk cannot be put at ${path}: is there a file already?`,
    );
}
