import { existsSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';

/** A file or folder of this machine, and where a sandbox sees it. */
export interface Visible {
  readonly from: string;
  readonly at: string;
}

/** What lies below is sources, or what was built of them. */
const codeDir = dirname(dirname(import.meta.dirname));
const packageDir = packageAbove(codeDir);
const isSource = import.meta.filename.endsWith('.ts');

/**
 * The arguments by which Node runs one of our own programs: `path` is that of its module, `libs/…`, without the ending.
 * `at` is where the package is seen by who runs it.
 */
export function ownProgram(path: string, at = packageDir): string[] {
  const module = join(at, relative(packageDir, codeDir), `${path}.${isSource ? 'ts' : 'js'}`);
  return isSource ? ['--conditions=source', '--disable-warning=ExperimentalWarning', module] : [module];
}

/** Libraries of ours and how they find each other, for a sandbox in which the package is seen `at` a path. */
export function ownCode(libraries: readonly string[], at: string): Visible[] {
  const paths = [join(packageDir, 'package.json'), ...libraries.map((path) => join(codeDir, path))];
  return paths.map((from) => ({ from, at: join(at, relative(packageDir, from)) }));
}

function packageAbove(folder: string): string {
  if (existsSync(join(folder, 'package.json'))) return folder;
  if (folder === sep) throw new Error('The package.json of Servery is missing.');
  return packageAbove(dirname(folder));
}
