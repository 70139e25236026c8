import { chmod, glob, lstat, lutimes, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { CLEARED } from '../../recipe/cleared-paths.ts';
import { cookError } from '../cook.errors.ts';
import { parseIndex } from '../package-index.ts';
import { BUILDER_NAME } from '../wall/places.ts';
import { espMount, rootMount } from './boot-loader.ts';
import type { DiskPlan, Job } from './job.ts';
import { pathInRoot } from './path-in-root.ts';
import { runInRoot } from './run-in-root.ts';

export interface RootTree {
  readonly rootDir: string;
  /** The same root, with processes and devices laid over it. */
  readonly installDir: string;
  readonly job: Job;
  readonly plan: DiskPlan;
}

/** Every server's own names come on top of these. */
const HOSTS = '127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n';

/**
 * What must lie in the root before packages are configured: the recipe's early files, and the machine's name, which the
 * scripts of packages look up as on any machine (that of postfix fails where it has none).
 */
export async function writePreset(presetDir: string, files: Job['files']): Promise<void> {
  await place(presetDir, '/etc/hostname', `${BUILDER_NAME}\n`);
  await place(presetDir, '/etc/hosts', `${HOSTS}127.0.1.1 ${BUILDER_NAME}.localdomain ${BUILDER_NAME}\n`);
  for (const file of files) {
    if (file.early) await place(presetDir, file.path, file.content, file.mode);
  }
}

/** Makes an unpacked root the recipe's: its files, its services, and how it mounts its disk. */
export async function furnish({ rootDir, installDir, job, plan }: RootTree): Promise<void> {
  for (const file of job.files) {
    await place(rootDir, file.path, file.content, file.mode);
    await runInRoot(installDir, ['chown', '--', `${file.owner}:${file.group}`, file.path]);
  }
  for (const verb of ['disable', 'enable', 'mask'] as const) {
    const units = job.recipe.services[verb];
    if (units.length > 0) await runInRoot(installDir, ['systemctl', verb, '--', ...units]);
  }
  await place(rootDir, '/etc/fstab', `${rootMount(plan.identities)}\n${espMount(plan.identities)}\n`);
}

/** Takes away every leftover and gives all that the cook wrote one and the same time. */
export async function scrub({ rootDir, installDir, job, plan }: RootTree): Promise<void> {
  const { remove } = job.recipe;
  // Inside the root, where a link leads nowhere else.
  if (remove.length > 0) await runInRoot(installDir, ['rm', '-rf', '--', ...remove]);
  for (const pattern of CLEARED.patterns) {
    for await (const path of glob(pattern, { cwd: rootDir }))
      await rm(join(rootDir, path), { recursive: true });
  }
  for (const folder of CLEARED.emptied) await empty(join(rootDir, folder));
  for (const folder of CLEARED.withoutFiles) {
    for (const path of await entriesOf(join(rootDir, folder))) {
      if ((await lstat(path)).isFile()) await rm(path);
    }
  }
  await forgetTemporaryNames(join(rootDir, 'var/cache/debconf/config.dat'));
  await place(rootDir, '/etc/machine-id', '', '0444');
  await place(rootDir, '/etc/hosts', HOSTS);
  await place(rootDir, '/etc/apt/sources.list', plan.sourcesList);
  await settleTimes(rootDir, job.epochSeconds);
}

/** ucf leaves the random name of a temporary file among the answers of debconf (debconf-devel(7)); it is gone by now. */
async function forgetTemporaryNames(path: string): Promise<void> {
  const answers = await readFile(path, 'utf8').catch(() => '');
  const lasting = answers.replace(/^ \w+ = \/tmp\/.*\n/gm, '');
  if (lasting !== answers) await writeFile(path, lasting);
}

/** No entry is newer than the packages. */
async function settleTimes(rootDir: string, epochSeconds: number): Promise<void> {
  const deepestFirst = [...(await entriesOf(rootDir)).reverse(), rootDir];
  for (const path of deepestFirst) {
    const seconds = Math.min(Math.floor((await lstat(path)).mtimeMs / 1000), epochSeconds);
    await lutimes(path, seconds, seconds);
  }
}

async function entriesOf(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.map((entry) => join(entry.parentPath, entry.name));
}

async function empty(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names) await rm(join(folder, name), { recursive: true });
}

async function place(rootDir: string, path: string, content: string | Buffer, mode = '0644'): Promise<void> {
  const target = await pathInRoot(rootDir, path);
  await mkdir(dirname(target), { recursive: true });
  await rm(target, { force: true });
  await writeFile(target, content);
  await chmod(target, Number.parseInt(mode, 8));
}

/** What is installed is what was chosen: else the recipe gave apt another answer than it gave us. */
export async function assertInstalled({ rootDir, job }: RootTree): Promise<void> {
  const status = await readFile(join(rootDir, 'var/lib/dpkg/status'), 'utf8');
  const installed = parseIndex(status).map(({ name, version }) => `${name} ${version}`);
  const odd = symmetricDifference(installed, job.installed);
  if (odd.length > 0) {
    throw cookError('cook_step_failed', `apt installed other packages than it chose: ${odd.join(', ')}`);
  }
}

function symmetricDifference(left: readonly string[], right: readonly string[]): string[] {
  const [inLeft, inRight] = [new Set(left), new Set(right)];
  return [...left.filter((item) => !inRight.has(item)), ...right.filter((item) => !inLeft.has(item))];
}
