import { readlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** As many as Linux follows: path_resolution(7). */
const MOST_LINKS = 40;

/**
 * Where a path of a system lies while its root is a folder of ours: links among its folders, absolute ones too, lead where
 * they will lead in the system that starts from this root. A link at its end is not followed, and nothing of it need exist.
 * @throws Error where links lead round in circles
 */
export async function pathInRoot(rootDir: string, path: string): Promise<string> {
  const ahead = dirname(path).split('/');
  let folder = '/';
  let links = 0;
  for (let name = ahead.shift(); name !== undefined; name = ahead.shift()) {
    const next = join(folder, name);
    const target = await readlink(join(rootDir, next)).catch(() => undefined);
    if (target === undefined) {
      folder = next;
      continue;
    }
    links += 1;
    if (links > MOST_LINKS) throw new Error(`${path}: too many links among its folders`);
    if (target.startsWith('/')) folder = '/';
    ahead.unshift(...target.split('/'));
  }
  return join(rootDir, folder, basename(path));
}
