import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { lookWithin } from '../look-within.ts';
import { changed, type Ground, ground } from '../planted.fixture.ts';
import { extDisk, folderOf } from './disks.fixture.ts';

const run = promisify(execFile);

/** A disk with an MBR and one file system, made by mke2fs of a folder, as a qcow2 file. */
async function diskOf(at: Ground, type: string, files: Readonly<Record<string, string>>): Promise<string> {
  const root = await folderOf(at, `root-${type}`, files);
  await run('ln', ['-s', 'usr/lib', join(root, 'lib')]);
  const raw = await at.plant('disk.raw', await extDisk(at, root, type, 48));
  const path = at.path(`${type}.qcow2`);
  await at.qemuImg('convert', '-f', 'raw', '-O', 'qcow2', raw, path);
  return path;
}

const KERNEL = 'usr/lib/modules/6.1.0-1-amd64';
const many = Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`usr/bin/program-${index}`, 'x']));
const system = { ...many, 'usr/lib/os-release': 'NAME="Debian"\nVERSION_ID="12"\nID=debian\n' };

describe('a look into a disk (needs root or user namespaces, and bubblewrap)', () => {
  it.each(['ext4', 'ext3'])('finds what a system on %s has of what a server needs', async (type) => {
    await using at = await ground();
    const path = await diskOf(at, type, {
      ...system,
      [`${KERNEL}/modules.builtin`]: `${'kernel/x.ko\n'.repeat(9000)}kernel/drivers/block/virtio_blk.ko\n`,
      [`${KERNEL}/kernel/drivers/net/ethernet/intel/e1000e/e1000e.ko.xz`]: 'x',
      'usr/bin/cloud-init': '#!/usr/bin/python3',
    });
    expect(await lookWithin(path)).toEqual({
      boot: { bios: false, uefi: false },
      fileSystems: ['ext'],
      guest: {
        osId: 'debian',
        osVersion: '12',
        drivers: ['virtio_blk', 'e1000e'],
        hasCloudInit: true,
        hasGuestAgent: false,
        hasSshServer: false,
        readsSeed: false,
      },
    });
  });

  it('says nothing of a disk that it does not know, and of one that leads nowhere', async () => {
    await using at = await ground();
    await at.qemuImg('create', '-q', '-f', 'qcow2', 'empty.qcow2', '1G');
    const nothing = { boot: { bios: false, uefi: false }, fileSystems: [], guest: null };
    expect(await lookWithin(at.path('empty.qcow2'))).toEqual(nothing);
    const path = await diskOf(at, 'ext4', system);
    const torn = await changed(path, (disk) => {
      for (let offset = 0x60_000; offset < disk.length; offset += 97) disk[offset] = 0xff;
      return disk;
    });
    expect((await lookWithin(await at.plant('torn.qcow2', torn)))?.guest ?? null).toBeNull();
  });
});
