import { execFile } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ownCode, ownProgram, type Visible } from '#libs/confinement';
import { diskError } from '../disk-files.errors.ts';

const exec = promisify(execFile);

const PROGRAM_FOLDERS = ['/usr/bin', '/bin', '/usr/sbin', '/sbin', '/usr/local/bin'];

/** Where the code lies in the sandbox: the parser and what it imports. */
const CODE = '/code';

/**
 * A program of the machine with the libraries that it is linked with, and nothing else: QEMU's drivers for
 * networks and further formats are modules of their own, which are not there.
 */
export async function programFiles(path: string, at: string): Promise<Visible[]> {
  const { stdout } = await exec('ldd', [path], { env: { LC_ALL: 'C', PATH: PROGRAM_FOLDERS.join(':') } });
  const libraries = [...stdout.matchAll(/(?:^\s*|=> )(\/\S+) \(0x/gm)].map(([, library]) => String(library));
  return [{ from: realpathSync(path), at }, ...libraries.map((library) => ({ from: library, at: library }))];
}

/** @throws DomainError `disk_sandbox_unavailable` */
export function findProgram(name: string, debianPackage: string): string {
  const found = PROGRAM_FOLDERS.map((folder) => join(folder, name)).find((path) => existsSync(path));
  if (found) return found;
  throw diskError(
    'disk_sandbox_unavailable',
    `${name} is missing, so no disk is opened: install ${debianPackage}.`,
  );
}

/** The code that one of this library's programs needs, and how Node runs it in the sandbox. */
export function parserFiles(
  program: 'parser.main' | 'look-within.main' | 'plan-adoption.main' = 'parser.main',
): {
  readonly files: readonly Visible[];
  readonly argv: readonly string[];
} {
  return {
    files: ownCode(['libs/disk-files', 'libs/kernel'], CODE),
    argv: ownProgram(`libs/disk-files/sandbox/${program}`, CODE),
  };
}
