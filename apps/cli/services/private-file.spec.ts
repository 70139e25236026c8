import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { writePrivateFile } from './private-file.ts';

/** What is done to files, in its order: a flush is what a power cut cannot take back. */
const done = vi.hoisted(() => [] as string[]);
vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof import('node:fs/promises')>();
  return {
    ...real,
    writeFile: async (...args: Parameters<typeof real.writeFile>) => {
      await real.writeFile(...args);
      const [, , options] = args;
      done.push(typeof options === 'object' && options?.flush ? 'written and flushed' : 'written');
    },
    rename: async (...args: Parameters<typeof real.rename>) => {
      await real.rename(...args);
      done.push('renamed');
    },
  };
});

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'private-file-'));
});
afterEach(() => rm(folder, { recursive: true }));

it('is its owner’s alone, and on the disk before it takes the place of the old one', async () => {
  const path = join(folder, 'state.json');
  await writeFile(path, 'old');
  done.length = 0;
  await writePrivateFile(path, 'new');
  expect(done).toEqual(['written and flushed', 'renamed']);
  expect(await readFile(path, 'utf8')).toBe('new');
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(await readdir(folder)).toEqual(['state.json']);
});
