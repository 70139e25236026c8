import { createHash } from 'node:crypto';
import { access, chmod, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Recipe } from '../recipe/recipe.ts';
import type { PackageState } from './package-state.ts';

const FOLDER = 'roots';

/**
 * Where the root of a recipe is kept once its packages are installed and before anything else is done to it: recipes
 * that stand on it begin there. It is one for the same recipe and packages.
 */
export function rootArchivePath(
  cacheDir: string,
  recipe: Recipe,
  state: PackageState,
  cookVersion: number,
): string {
  const parts = [cookVersion, recipe.sha256, state.sha256];
  const key = createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);
  return join(cacheDir, FOLDER, `${recipe.name}-${key}.tar`);
}

export function isKept(archive: string): Promise<boolean> {
  return access(archive).then(
    () => true,
    () => false,
  );
}

/** Keeps an archive in the place of older ones of its recipe: it is there whole or not at all. */
export async function keepRoot(made: string, archive: string, recipe: Pick<Recipe, 'name'>): Promise<void> {
  const folder = dirname(archive);
  await mkdir(folder, { recursive: true });
  const others = new RegExp(`^${recipe.name}-[0-9a-f]{32}\\.tar$`);
  for (const name of await readdir(folder)) if (others.test(name)) await rm(join(folder, name));
  await chmod(made, 0o644);
  await rename(made, archive);
}

/** Whether a root with `base`'s packages can become one with those of `whole` by adding some. */
export function isPartOf(base: PackageState, whole: PackageState): boolean {
  const has = new Set(whole.packages.map(({ name, sha256 }) => `${name} ${sha256}`));
  return base.packages.every(({ name, sha256 }) => has.has(`${name} ${sha256}`));
}

/** Whether the packages of `base` found the same files when they were configured as they would among `files`. */
export function hasEarlyOf(base: Pick<Recipe, 'files'>, files: Recipe['files']): boolean {
  const early = new Map(files.flatMap((file) => (file.early ? [[file.path, file]] : [])));
  return base.files.every((file) => {
    const own = early.get(file.path);
    return !file.early || (own?.mode === file.mode && own.content.equals(file.content));
  });
}
