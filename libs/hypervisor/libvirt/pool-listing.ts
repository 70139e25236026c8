import type { HostRef, VolumeFacts } from '../port.ts';
import type { Virsh } from './virsh.ts';
import { XmlElement } from './xml.ts';

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
 * Lets the host look again at what lies in a pool, which other hosts may share. libvirt refuses while a volume
 * is being written; what it knows then must do.
 */
export async function refreshPool(virsh: Virsh, host: HostRef, pool: string): Promise<void> {
  await virsh.script(host, [['pool-refresh', '--pool', pool]], { timeoutSeconds: 120 });
}

/** Sizes of some volumes; those that vanished meanwhile are left out. */
export async function volumeSizes(
  virsh: Virsh,
  host: HostRef,
  pool: string,
  names: readonly string[],
): Promise<VolumeFacts[]> {
  if (names.length === 0) return [];
  const commands = names.map((name) => ['vol-dumpxml', '--pool', pool, '--vol', name]);
  const { outputs } = await virsh.script(host, commands, { timeoutSeconds: 120 });
  return outputs
    .filter((xml) => xml.includes('<volume'))
    .map((xml) => {
      const volume = XmlElement.parse(xml).at('volume');
      return {
        name: volume.at('name').text,
        capacityBytes: volume.at('capacity').number,
        allocationBytes: volume.at('allocation').number,
      };
    });
}

/** The name of a volume of the disk pool that stands on what lies at `path`. */
export async function diskOn(virsh: Virsh, host: HostRef, path: string): Promise<string | undefined> {
  await refreshPool(virsh, host, host.diskPool);
  const disks = await listPool(virsh, host, host.diskPool);
  if (disks.length === 0) return undefined;
  const commands = disks.map(({ name }) => ['vol-dumpxml', '--pool', host.diskPool, '--vol', name]);
  const { outputs } = await virsh.script(host, commands, { timeoutSeconds: 120 });
  const user = outputs
    .filter((xml) => xml.includes('<volume'))
    .map((xml) => XmlElement.parse(xml).at('volume'))
    .find((volume) => volume.at('backingStore', 'path').text === path);
  return user?.at('name').text;
}
