import { execFile } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { promisify } from 'node:util';
import { diskError } from '../disk-files.errors.ts';

const exec = promisify(execFile);

/** A file or folder of the machine, and where the sandbox sees it, read-only. */
export interface Visible {
  readonly from: string;
  readonly at: string;
}

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

/** This library and the kernel, as sources or as built, and how Node runs one of its programs among them. */
export function parserFiles(
  program: 'parser.main' | 'look-within.main' | 'plan-adoption.main' = 'parser.main',
): {
  readonly files: readonly Visible[];
  readonly argv: readonly string[];
} {
  const library = dirname(import.meta.dirname);
  const root = packageRoot(library);
  const fromSource = import.meta.filename.endsWith('.ts');
  const inside = (path: string) => CODE + path.slice(root.length);
  const shown = [join(root, 'package.json'), library, join(dirname(library), 'kernel')];
  return {
    files: shown.map((from) => ({ from, at: inside(from) })),
    argv: [
      ...(fromSource ? ['--conditions=source', '--disable-warning=ExperimentalWarning'] : []),
      inside(join(import.meta.dirname, `${program}.${fromSource ? 'ts' : 'js'}`)),
    ],
  };
}

function packageRoot(folder: string): string {
  if (existsSync(join(folder, 'package.json'))) return folder;
  if (folder === sep) throw diskError('disk_sandbox_unavailable', 'The package.json of Servery is missing.');
  return packageRoot(dirname(folder));
}
