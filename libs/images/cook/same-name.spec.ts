import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { deriveRecipe, loadRecipe } from '../recipe/index.ts';
import { cookFrom, type PackageSupply } from './cook-image.ts';
import type { PackageState } from './package-state.ts';
import { hasEarlyOf } from './root-archive.ts';

const catalog = new URL('../../../catalog', import.meta.url).pathname;
let outputDir: string;
beforeAll(async () => {
  outputDir = await mkdtemp(join(tmpdir(), 'same-name-'));
});
afterAll(() => rm(outputDir, { recursive: true }));

it('a recipe that is called as its base is cooks in folders of its own', async () => {
  const base = await loadRecipe(catalog, 'web');
  const recipe = deriveRecipe(base, { ...base, name: base.name });
  const kernel = { name: 'linux-image-6.1.0-1', version: '1', architecture: 'amd64', sha256: 'a'.repeat(64) };
  const state = { sources: [], packages: [kernel], sha256: 'b'.repeat(64) } as unknown as PackageState;
  const folders: string[] = [];
  const supply: PackageSupply = {
    choose: async () => state,
    fetch: async (_, folder) => {
      folders.push(folder);
      if (folders.length === 2) throw new Error('enough');
      return 0;
    },
  };
  await expect(cookFrom(supply, { recipe, outputDir, folder: 'cook.1' })).rejects.toThrow('enough');
  expect(new Set(folders).size).toBe(2);
});

it('a recipe does not begin with a root that was installed by other early files', async () => {
  const base = await loadRecipe(catalog, 'debian-12');
  const [first] = base.files.filter((file) => file.early);
  const upon = (more: object) =>
    deriveRecipe(base, { ...base, files: first ? [{ ...first, ...more }] : [] }).files;
  expect(hasEarlyOf(base, upon({}))).toBe(true);
  expect(hasEarlyOf(base, upon({ content: Buffer.from('own') }))).toBe(false);
  expect(hasEarlyOf(base, upon({ early: false }))).toBe(false);
});
