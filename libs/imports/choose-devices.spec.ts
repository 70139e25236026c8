import { describe, expect, it } from 'vitest';
import { chooseDevices, chooseVerification } from './choose-devices.ts';

type Seen = Parameters<typeof chooseDevices>[0];
const nothing: Seen = { boot: null, fileSystems: [], guest: null, machine: null };
const guest: NonNullable<Seen['guest']> = {
  osId: 'debian',
  osVersion: '12',
  drivers: ['virtio_blk', 'virtio_net', 'ahci'],
  hasCloudInit: true,
  hasGuestAgent: true,
  hasSshServer: true,
  readsSeed: false,
};
const machine = { name: null, cpus: null, memoryMib: null, operatingSystem: null };

describe('devices of an imported disk', () => {
  it.each<[what: string, seen: Partial<Seen>, devices: string]>([
    ['nothing is known', {}, 'bios virtio virtio'],
    ['a system of today', { guest, boot: { bios: true, uefi: true } }, 'bios virtio virtio'],
    ['it starts by UEFI alone', { guest, boot: { bios: false, uefi: true } }, 'uefi virtio virtio'],
    [
      'it came from a machine with EFI',
      { boot: { bios: true, uefi: true }, machine: { ...machine, firmware: 'efi' } },
      'uefi virtio virtio',
    ],
    [
      'its description asks for EFI and it has no loader',
      { boot: { bios: true, uefi: false }, machine: { ...machine, firmware: 'efi' } },
      'bios virtio virtio',
    ],
    ['it has no driver for virtio', { guest: { ...guest, drivers: ['ahci', 'e1000e'] } }, 'bios sata e1000e'],
    ['it is old', { guest: { ...guest, drivers: ['ata_piix', 'e1000'] } }, 'bios ide e1000e'],
    ['it is Windows', { fileSystems: ['ntfs'], boot: { bios: false, uefi: true } }, 'uefi sata e1000e'],
    ['it is a Linux that is not read', { fileSystems: ['xfs', 'fat'] }, 'bios virtio virtio'],
  ])('where %s', (_what, seen, devices) => {
    expect(Object.values(chooseDevices({ ...nothing, ...seen })).join(' ')).toBe(devices);
  });

  it('promise no more than can be seen', () => {
    const bare = { ...guest, hasCloudInit: false };
    expect([
      chooseVerification({ guest }),
      chooseVerification({ guest: bare }),
      chooseVerification({ guest: { ...bare, readsSeed: true } }),
      chooseVerification({ guest: { ...bare, hasSshServer: false } }),
      chooseVerification({ guest: null }),
    ]).toEqual(['identity', 'ssh', 'identity', 'running', 'running']);
  });
});
