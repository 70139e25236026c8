import { link, mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { pruneArchives } from './package-archives.ts';

let cacheDir: string;
let archives: string;
beforeEach(async () => {
  cacheDir = await mkdtemp(join(tmpdir(), 'cache-'));
  archives = join(cacheDir, 'archives');
  await mkdir(join(archives, 'partial'), { recursive: true });
});
afterEach(() => rm(cacheDir, { recursive: true }));

/** As apt leaves one: with the time of the mirror, which is that of its build. */
async function download(name: string): Promise<string> {
  const path = join(archives, name);
  await writeFile(path, name);
  const built = new Date('2020-02-02');
  await utimes(path, built, built);
  return path;
}

/** A moment before and after which the clock of the file system shows other times. */
async function aMoment(): Promise<Date> {
  await sleep(50);
  const moment = new Date();
  await sleep(50);
  return moment;
}

it('forgets packages that no cook has used since, and keeps those that one has, or has just downloaded', async () => {
  for (const name of ['unused_1_all.deb', 'partial/half_1_all.deb', 'partial/half_2_all.deb.FAILED']) {
    await download(name);
  }
  const used = await download('used_1_all.deb');
  await writeFile(join(archives, 'lock'), '');
  const since = await aMoment();
  const inUse = join(cacheDir, 'in-use.deb');
  await link(used, inUse);
  await download('new_1_all.deb');
  expect(await pruneArchives(cacheDir, since)).toBe(3);
  expect((await readdir(archives)).toSorted()).toEqual([
    'lock',
    'new_1_all.deb',
    'partial',
    'used_1_all.deb',
  ]);
  expect(await readdir(join(archives, 'partial'))).toEqual([]);
  expect(await pruneArchives(cacheDir, since)).toBe(0);
});

it('takes nothing from who has linked a package, whenever that was', async () => {
  const inUse = join(cacheDir, 'in-use.deb');
  await link(await download('used_1_all.deb'), inUse);
  expect(await pruneArchives(cacheDir, await aMoment())).toBe(1);
  expect(await readFile(inUse, 'utf8')).toBe('used_1_all.deb');
});

it('has nothing to do where nothing was downloaded yet', async () => {
  expect(await pruneArchives(join(cacheDir, 'none'), new Date())).toBe(0);
});
