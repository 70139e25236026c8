import type { Devices } from '#libs/hypervisor';
import type { ImportReport, Verification } from '#libs/images';

type Seen = Pick<ImportReport, 'boot' | 'fileSystems' | 'guest' | 'machine'>;

/** Devices that what was found in a disk can be started from, as far as that shows; its owner may know better. */
export function chooseDevices(seen: Seen): Devices {
  return { firmware: firmwareOf(seen), diskBus: diskBusOf(seen), nicModel: nicModelOf(seen) };
}

/** What a server of it can be expected to show. */
export function chooseVerification({ guest }: Pick<Seen, 'guest'>): Verification {
  if (guest?.hasCloudInit || guest?.readsSeed) return 'identity';
  return guest?.hasSshServer ? 'ssh' : 'running';
}

/** BIOS where both are offered, for no host lacks it, unless the machine that it comes from started by EFI. */
function firmwareOf({ boot, machine }: Seen): Devices['firmware'] {
  if (!boot?.uefi) return 'bios';
  return boot.bios && machine?.firmware !== 'efi' ? 'bios' : 'uefi';
}

function diskBusOf(seen: Seen): Devices['diskBus'] {
  const { guest } = seen;
  if (!guest) return isWindows(seen) ? 'sata' : 'virtio';
  if (guest.drivers.includes('virtio_blk')) return 'virtio';
  return guest.drivers.includes('ata_piix') && !guest.drivers.includes('ahci') ? 'ide' : 'sata';
}

function nicModelOf(seen: Seen): Devices['nicModel'] {
  const { guest } = seen;
  if (!guest) return isWindows(seen) ? 'e1000e' : 'virtio';
  return guest.drivers.includes('virtio_net') ? 'virtio' : 'e1000e';
}

/** Windows has no virtio drivers of its own; others that we cannot look into mostly have. */
function isWindows({ fileSystems }: Seen): boolean {
  return fileSystems.includes('ntfs');
}
