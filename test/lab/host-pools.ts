import { rm, stat, statfs } from 'node:fs/promises';
import { findInit, requireInit } from './host-processes.ts';
import { LabError } from './lab.errors.ts';
import { type HostLayout, type LabLayout, POOL_ROOT, POOLS } from './layout.ts';
import type { Process } from './processes.ts';
import { run, tryRun } from './run.ts';

/** Defines and starts the host's pools where they are not. */
export async function ensurePools(host: HostLayout): Promise<void> {
  const virsh = (...args: string[]) => run('virsh', ['-c', host.uri, ...args]);
  const [active, defined] = await Promise.all([
    virsh('pool-list', '--name'),
    virsh('pool-list', '--all', '--name'),
  ]);
  for (const [folder, pool] of Object.entries(POOLS)) {
    if (!hasLine(defined, pool))
      await virsh('pool-define-as', pool, 'dir', '--target', `${POOL_ROOT}/${folder}`);
    if (!hasLine(defined, pool)) await virsh('pool-autostart', pool);
    if (!hasLine(active, pool)) await virsh('pool-start', pool);
  }
}

/** Uses up the space of the host's pools, to the last block. Needs a lab with `diskGib`. */
export async function fill(lab: LabLayout, host: HostLayout): Promise<void> {
  if (!(await hasPoolDisk(host))) {
    throw new LabError(
      'no_disk_limit',
      `The pools of ${host.name} share this machine's disk, which the lab will not fill. Start the lab anew: down --purge, then up --disk-gib 8.`,
    );
  }
  const init = await requireInit(lab, host);
  const { bavail, bsize } = await statfs(poolPath(init, ''));
  if (bavail === 0) return;
  await run('fallocate', ['--length', String(bavail * bsize), poolPath(init, '/filler')]).catch(
    () => undefined,
  );
  // Block maps take room of their own, so the first try may be a little too large: fill what is left.
  await tryRun(
    'dd',
    [
      'if=/dev/zero',
      `of=${poolPath(init, '/filler')}`,
      'bs=64K',
      'oflag=append',
      'conv=notrunc',
      'status=none',
    ],
    120,
  );
}

/** Takes back what `fill` used up. */
export async function freeSpace(lab: LabLayout, host: HostLayout): Promise<void> {
  const init = await requireInit(lab, host);
  await rm(poolPath(init, '/filler'), { force: true });
}

/** Whether the host's pools have no space left. */
export async function isFull(lab: LabLayout, host: HostLayout): Promise<boolean> {
  const init = await findInit(lab, host);
  if (!init || !(await hasPoolDisk(host))) return false;
  return (await statfs(poolPath(init, '')).catch(() => undefined))?.bavail === 0;
}

/** A path inside the host's pools, reached from outside its mount namespace. */
function poolPath(init: Process, path: string): string {
  return `/proc/${init.pid}/root${POOL_ROOT}${path}`;
}

const hasPoolDisk = (host: HostLayout) =>
  stat(`${host.folder}/pools.ext4`).then(
    () => true,
    () => false,
  );
const hasLine = (text: string, line: string) => text.split('\n').some((each) => each.trim() === line);
