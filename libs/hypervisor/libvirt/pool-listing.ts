import { sleep } from '#libs/kernel';
import type { VolumeFacts } from '../port/disks.ts';
import type { HostRef } from '../port/hosts.ts';
import type { Virsh } from './virsh.ts';
import { saysPoolHasJobs } from './virsh-errors.ts';
import { XmlElement } from './xml.ts';

/** An empty volume is made in less; a copy takes minutes, and nobody waits for that. */
const PATIENCE_MS = 2000;
const PAUSE_MS = 100;

export interface PoolEntry {
  readonly name: string;
  readonly path: string;
}

/** The volumes that the host's libvirtd knows of in a pool. */
export async function listPool(virsh: Virsh, host: HostRef, pool: string): Promise<PoolEntry[]> {
  const listing = await virsh.run(host, ['vol-list', '--pool', pool]);
  return listing.split('\n').flatMap((line) => {
    const columns = /^ (\S+)\s+(\S.*?)\s*$/.exec(line);
    return columns?.[1] && columns[2] ? [{ name: columns[1], path: columns[2] }] : [];
  });
}

/**
 * Lets the host look again at what lies in a pool, which other hosts may share. libvirt refuses while a volume is being
 * made: that is waited for, but no longer than for an empty one; what it knows then must do.
 */
export async function refreshPool(virsh: Virsh, host: HostRef, pool: string): Promise<void> {
  for (const end = Date.now() + PATIENCE_MS; ; await sleep(PAUSE_MS)) {
    const { errors } = await virsh.script(host, [['pool-refresh', '--pool', pool]], { timeoutSeconds: 120 });
    if (!saysPoolHasJobs(errors) || Date.now() > end) return;
  }
}

/** Sizes of some volumes; those that vanished meanwhile are left out. */
export async function volumeSizes(
  virsh: Virsh,
  host: HostRef,
  pool: string,
  names: readonly string[],
): Promise<VolumeFacts[]> {
  const volumes = await describeVolumes(virsh, host, pool, names);
  return volumes.map((volume) => ({
    name: volume.at('name').text,
    capacityBytes: volume.at('capacity').number,
    allocationBytes: volume.at('allocation').number,
  }));
}

/** The name of a volume of the disk pool that stands on what lies at `path`. */
export async function diskOn(virsh: Virsh, host: HostRef, path: string): Promise<string | undefined> {
  await refreshPool(virsh, host, host.diskPool);
  const names = (await listPool(virsh, host, host.diskPool)).map(({ name }) => name);
  const disks = await describeVolumes(virsh, host, host.diskPool, names);
  return disks.find((disk) => disk.at('backingStore', 'path').text === path)?.at('name').text;
}

/** What libvirt says of some volumes; those that vanished meanwhile are left out. */
async function describeVolumes(
  virsh: Virsh,
  host: HostRef,
  pool: string,
  names: readonly string[],
): Promise<XmlElement[]> {
  if (names.length === 0) return [];
  const commands = names.map((name) => ['vol-dumpxml', '--pool', pool, '--vol', name]);
  const { outputs } = await virsh.script(host, commands, { timeoutSeconds: 120 });
  return outputs.filter((xml) => xml.includes('<volume')).map((xml) => XmlElement.parse(xml).at('volume'));
}
