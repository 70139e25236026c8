import type { ByteSource } from '../byte-source.ts';
import { Ext4 } from './ext4.ts';
import { partitionsOf } from './partitions.ts';

/** What a system on a disk has of what a server here needs. */
export interface GuestSystem {
  readonly osId: string | null;
  readonly osVersion: string | null;
  /** A kernel of it can read virtio disks; whether its first stage does is not seen. */
  readonly hasVirtioDisk: boolean;
  readonly hasCloudInit: boolean;
  readonly hasGuestAgent: boolean;
}

const OS_RELEASE = ['/usr/lib/os-release', '/etc/os-release'];
const MODULES = '/lib/modules';
const CLOUD_INIT = ['/usr/bin/cloud-init', '/usr/local/bin/cloud-init'];
const GUEST_AGENT = ['/usr/sbin/qemu-ga', '/usr/bin/qemu-ga', '/sbin/qemu-ga'];
const MOST_KERNELS = 16;

/** Looks for a system in the ext file systems of a disk; null where there is none that we know our way in. */
export function findGuest(disk: ByteSource): GuestSystem | null {
  for (const partition of partitionsOf(disk)) {
    const files = Ext4.in(partition);
    const release = files && OS_RELEASE.map((path) => files.text(path)).find((text) => text !== undefined);
    if (!files || release === undefined) continue;
    return {
      osId: wordOf(release, 'ID'),
      osVersion: wordOf(release, 'VERSION_ID'),
      hasVirtioDisk: hasVirtioDisk(files),
      hasCloudInit: CLOUD_INIT.some((path) => files.exists(path)),
      hasGuestAgent: GUEST_AGENT.some((path) => files.exists(path)),
    };
  }
  return null;
}

function hasVirtioDisk(files: Ext4): boolean {
  const kernels = files.list(MODULES).filter((name) => name !== '.' && name !== '..');
  return kernels.slice(0, MOST_KERNELS).some((kernel) => {
    const builtIn = files.text(`${MODULES}/${kernel}/modules.builtin`) ?? '';
    const drivers = files.list(`${MODULES}/${kernel}/kernel/drivers/block`);
    return builtIn.includes('/virtio_blk.ko') || drivers.some((name) => name.startsWith('virtio_blk.ko'));
  });
}

/** As os-release(5) writes it, short and without what a terminal or a page would take for more. */
function wordOf(release: string, key: string): string | null {
  const [, value] = new RegExp(`^${key}=["']?([A-Za-z0-9._~-]{1,64})["']?$`, 'm').exec(release) ?? [];
  return value ?? null;
}
