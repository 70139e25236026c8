import { constants } from 'node:fs';
import { chmod, chown, cp, mkdir, open, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Visible } from '#libs/confinement';
import { BYTES_PER_GIB } from '#libs/kernel';
import type { IdRange } from './id-range.ts';
import type { WallOrder } from './order.ts';
import { systemCallFilter } from './system-calls.ts';
import { GIVEN_FILE, tool } from './tool.ts';

/** Covered in the keeper's own mount namespace, for nobody else; a place that every user may look into. */
export const STAGE = '/mnt';

/** O_TMPFILE of Linux, which Node does not name: a file without a name, gone with its last user. */
const O_TMPFILE = 0o20000000 | constants.O_DIRECTORY;

/** What bubblewrap puts together, by its paths on the stage. */
export interface Stage {
  readonly visible: readonly Visible[];
  readonly handed: readonly Visible[];
  readonly builderDisk: string;
  readonly systemCalls: string;
}

/**
 * Gathers in one place all that shall be seen behind the wall, as who may see it: the unprivileged user that root is there
 * could not find it in folders that are closed to others. The mounts are in our namespace alone, and end with us.
 */
export async function setStage(order: WallOrder, range: IdRange): Promise<Stage> {
  const at = join(order.scratchDir, 'stage');
  await mkdir(at);
  await tool(['mount', '-n', '-t', 'tmpfs', '-o', 'mode=755,size=1m', 'stage', at]);
  const builderDisk = join(at, 'builder');
  await mkdir(builderDisk);
  await mountBuilderDisk(order, builderDisk, range);
  for (const folder of BUILDER_FOLDERS) {
    await mkdir(join(builderDisk, folder));
    await chown(join(builderDisk, folder), range.first, range.first);
    if (folder !== 'root') await chmod(join(builderDisk, folder), 0o1777);
  }
  const visible = await bindAll(
    await readable(order.visible, join(order.scratchDir, 'copies')),
    join(at, 'visible'),
  );
  for (const { from } of order.handed) await chown(from, range.first, range.first);
  const handed = await bindAll(order.handed, join(at, 'handed'));
  await writeFile(join(at, 'system-calls'), systemCallFilter());
  await tool(['mount', '-n', '--move', at, STAGE]);
  const moved = (path: string) => join(STAGE, path.slice(at.length));
  return {
    visible: visible.map((one) => ({ ...one, from: moved(one.from) })),
    handed: handed.map((one) => ({ ...one, from: moved(one.from) })),
    builderDisk: moved(builderDisk),
    systemCalls: join(STAGE, 'system-calls'),
  };
}

/** Of the builder's disk: the new root, scratch files, and shared memory, which is bounded by being there. */
export const BUILDER_FOLDERS = ['root', 'tmp', 'shm'] as const;

/**
 * A file system of fixed size, of which nothing is left when the last process that sees it ends: ext4 in a file without
 * a name, or memory where we may not mount a file.
 */
async function mountBuilderDisk(order: WallOrder, at: string, range: IdRange): Promise<void> {
  const bytes = order.limits.diskGib * BYTES_PER_GIB;
  const owner = `${range.first}:${range.first}`;
  if (order.isRootless) {
    const options = `mode=755,size=${bytes},nr_inodes=1m,nosuid,nodev`;
    await tool(['mount', '-n', '-t', 'tmpfs', '-o', options, 'builder', at]);
    await chown(at, range.first, range.first);
    return;
  }
  await using file = await open(order.scratchDir, O_TMPFILE | constants.O_RDWR, 0o600);
  await file.truncate(bytes);
  // It outlives no run, so it needs no journal, and no write of it has to reach the disk.
  const format = ['-O', '^has_journal', '-m', '0', '-E', `root_owner=${owner},lazy_itable_init=1,nodiscard`];
  await tool(['mke2fs', '-q', '-F', '-t', 'ext4', ...format, GIVEN_FILE], file.fd);
  await tool(
    ['mount', '-n', '-t', 'ext4', '-o', 'loop,nosuid,nodev,noatime,barrier=0', GIVEN_FILE, at],
    file.fd,
  );
}

async function bindAll(all: readonly Visible[], folder: string): Promise<Visible[]> {
  await mkdir(folder);
  const bound: Visible[] = [];
  for (const [index, { from, at }] of all.entries()) {
    const target = join(folder, String(index));
    if ((await stat(from)).isDirectory()) await mkdir(target);
    else await writeFile(target, '');
    await tool(['mount', '-n', '--bind', from, target]);
    bound.push({ from: target, at });
  }
  return bound;
}

/** Root behind the wall is an other user of this machine: what others may not read, it gets a copy of. */
async function readable(all: readonly Visible[], folder: string): Promise<Visible[]> {
  const shown: Visible[] = [];
  for (const [index, one] of all.entries()) {
    const copy = join(folder, String(index));
    const isReadable = await isForOthers(one.from);
    if (!isReadable) {
      await mkdir(folder, { recursive: true });
      await cp(one.from, copy, { recursive: true });
      await tool(['chmod', '-R', 'u=rwX,go=rX', copy]);
    }
    shown.push(isReadable ? one : { ...one, from: copy });
  }
  return shown;
}

async function isForOthers(path: string): Promise<boolean> {
  const facts = await stat(path);
  const { S_IROTH, S_IXOTH, S_IXUSR } = constants;
  const needed = S_IROTH | (facts.mode & S_IXUSR ? S_IXOTH : 0);
  if ((facts.mode & needed) !== needed) return false;
  if (!facts.isDirectory()) return true;
  for (const name of await readdir(path)) if (!(await isForOthers(join(path, name)))) return false;
  return true;
}
