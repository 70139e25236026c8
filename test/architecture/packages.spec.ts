import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { requiredDebianPackages } from '#libs/images/cook';
import { root } from './sources.ts';

const lockSchema = z.object({
  packages: z.record(
    z.string(),
    z.object({ optionalDependencies: z.record(z.string(), z.string()).optional() }),
  ),
});

const folder = join(root, 'scripts/packages');

async function packagesOf(file: string): Promise<string[]> {
  const lines = (await readFile(join(folder, file), 'utf8')).split('\n');
  return lines.map((line) => line.replace(/#.*/, '').trim().split(/\s+/)[0] ?? '').filter(Boolean);
}

describe('the lists of Debian packages', () => {
  it('have what the cook needs', async () => {
    expect(await packagesOf('cook.txt')).toEqual(expect.arrayContaining([...requiredDebianPackages]));
  });

  it('are all asked for by a script', async () => {
    const up = await readFile(join(root, 'scripts/up.sh'), 'utf8');
    const test = await readFile(join(root, 'scripts/test.sh'), 'utf8');
    const bench = await readFile(join(root, 'scripts/bench.sh'), 'utf8');
    const asked = [...`${up}\n${test}\n${bench}`.matchAll(/^ *bootstrap (.*)$/gm)].flatMap(
      (match) => match[1]?.split(' ') ?? [],
    );
    const lists = (await readdir(folder)).map((file) => file.replace(/\.txt$/, ''));
    expect([...new Set(asked)].toSorted()).toEqual(lists.toSorted());
  });
});

describe('package-lock.json', () => {
  it('has the packages of every platform: npm leaves out those that a registry hides, and then npm ci refuses', async () => {
    const { packages } = lockSchema.parse(
      JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8')),
    );
    const missing = Object.entries(packages).flatMap(([path, { optionalDependencies }]) =>
      Object.keys(optionalDependencies ?? {}).filter(
        (name) => !(`${path}/node_modules/${name}` in packages || `node_modules/${name}` in packages),
      ),
    );
    expect(missing).toEqual([]);
  });
});
