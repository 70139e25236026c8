import { FIRST_BOOT } from '../adoption/first-boot.ts';
import type { ByteSource } from '../byte-source.ts';
import { Ext4 } from './ext4.ts';
import { unlessMalformed } from './find-boot.ts';
import { placesOf } from './partitions.ts';

/** Drivers by which a system may find its disk and its network, by Linux's names. */
export const DRIVERS = ['virtio_blk', 'virtio_net', 'ahci', 'ata_piix', 'e1000', 'e1000e'] as const;
export type Driver = (typeof DRIVERS)[number];

/** What a system on a disk has of what a server here needs. */
export interface GuestSystem {
  readonly osId: string | null;
  readonly osVersion: string | null;
  /** A kernel of it has them; whether its first stage does is not seen. */
  readonly drivers: readonly Driver[];
  readonly hasCloudInit: boolean;
  readonly hasGuestAgent: boolean;
  readonly hasSshServer: boolean;
  /** What it lacks in cloud-init was put into it here. */
  readonly readsSeed: boolean;
}

/** The file system with a system's root, and where it begins on its disk. */
export interface GuestRoot {
  readonly files: Ext4;
  readonly startBytes: number;
  readonly release: string;
}

const OS_RELEASE = ['/usr/lib/os-release', '/etc/os-release'];
const MODULES = '/lib/modules';
const CLOUD_INIT = ['/usr/bin/cloud-init', '/usr/local/bin/cloud-init'];
const CLOUD_INIT_DISABLED = '/etc/cloud/cloud-init.disabled';
const GUEST_AGENT = ['/usr/sbin/qemu-ga', '/usr/bin/qemu-ga', '/sbin/qemu-ga'];
const SSH_SERVER = ['/usr/sbin/sshd', '/usr/sbin/dropbear', '/usr/bin/dropbear'];
const MOST_KERNELS = 16;
const FOLDERS = {
  virtio_blk: 'drivers/block',
  virtio_net: 'drivers/net',
  ahci: 'drivers/ata',
  ata_piix: 'drivers/ata',
  e1000: 'drivers/net/ethernet/intel/e1000',
  e1000e: 'drivers/net/ethernet/intel/e1000e',
} as const satisfies Record<Driver, string>;

/** The first ext file system with a system in it that we know our way in. */
export function findRoot(disk: ByteSource): GuestRoot | undefined {
  for (const { bytes, startBytes } of placesOf(disk)) {
    const found = unlessMalformed(() => {
      const files = Ext4.in(bytes);
      const release = files && OS_RELEASE.map((path) => files.text(path)).find((text) => text !== undefined);
      return files && release !== undefined ? { files, startBytes, release } : undefined;
    });
    if (found) return found;
  }
  return undefined;
}

/** Looks for a system in the ext file systems of a disk; null where there is none that we know our way in. */
export function findGuest(disk: ByteSource): GuestSystem | null {
  const root = findRoot(disk);
  if (!root) return null;
  const { files, release } = root;
  const has = (paths: readonly string[]) => paths.some((path) => files.exists(path));
  return {
    osId: wordOf(release, 'ID'),
    osVersion: wordOf(release, 'VERSION_ID'),
    drivers: driversOf(files),
    hasCloudInit: has(CLOUD_INIT) && !has([CLOUD_INIT_DISABLED]),
    hasGuestAgent: has(GUEST_AGENT),
    hasSshServer: has(SSH_SERVER),
    readsSeed: has([`/etc/systemd/system/multi-user.target.wants/${FIRST_BOOT.unit}`]),
  };
}

function driversOf(files: Ext4): Driver[] {
  const kernels = files.list(MODULES).filter((name) => name !== '.' && name !== '..');
  const builtIn = kernels
    .slice(0, MOST_KERNELS)
    .map((kernel) => files.text(`${MODULES}/${kernel}/modules.builtin`) ?? '');
  return DRIVERS.filter((driver) =>
    kernels.slice(0, MOST_KERNELS).some((kernel, index) => {
      const modules = files.list(`${MODULES}/${kernel}/kernel/${FOLDERS[driver]}`);
      return (
        builtIn[index]?.includes(`/${driver}.ko`) || modules.some((name) => name.startsWith(`${driver}.ko`))
      );
    }),
  );
}

/** As os-release(5) writes it, short and without what a terminal or a page would take for more. */
function wordOf(release: string, key: string): string | null {
  const [, value] = new RegExp(`^${key}=["']?([A-Za-z0-9._~-]{1,64})["']?$`, 'm').exec(release) ?? [];
  return value ?? null;
}
