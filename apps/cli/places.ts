import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

/** The root of the checkout: the nearest folder above this file that has a package.json. */
export function findRoot(): string {
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return folder;
}

/** The folder of everything that Servery keeps: SERVERY_DATA_DIR, or `.servery` in the checkout. */
export function dataFolder(root: string): string {
  return resolve(root, process.env.SERVERY_DATA_DIR || '.servery');
}
