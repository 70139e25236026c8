import { rm } from 'node:fs/promises';
import { convertDisk } from '#libs/disk-files';
import { planAdoption } from '../../libs/disk-files/adoption/plan.ts';
import { memoryBytes } from '../../libs/disk-files/byte-source.ts';
import { contentsOf } from '../../libs/disk-files/guest/contents.ts';
import { extDisk, folderOf, gptDisk } from '../../libs/disk-files/guest/disks.fixture.ts';
import type { Ground } from '../../libs/disk-files/planted.fixture.ts';
import { mutatedWhereUsed } from './mutations.ts';
import type { Target } from './target.ts';

const system = {
  'usr/lib/os-release': 'ID=debian\nVERSION_ID="12"\n',
  'usr/lib/systemd/systemd': 'x',
  'etc/systemd/system/a.service': 'x',
  'root/.ssh/authorized_keys': 'ssh-ed25519 AAAA before\n',
  'lib/modules/6.1/modules.builtin': 'kernel/drivers/block/virtio_blk.ko\n'.repeat(100),
  'EFI/BOOT/BOOTX64.EFI': 'MZ',
};

/**
 * Mutated file systems and partition tables against the look into disks and the search for where keys go; now and then
 * keys are really put into one, by e2fsprogs in the sandbox.
 */
export async function diskContents(at: Ground): Promise<Target> {
  const folder = await folderOf(at, 'root', system);
  const seeds: Buffer[] = [];
  for (const type of ['ext4', 'ext3', 'ext2']) seeds.push(await extDisk(at, folder, type));
  for (const bits of ['12', '16', '32'] as const) seeds.push(await gptDisk(at, folder, { bits }));
  let bytes: Buffer = Buffer.alloc(0);
  return {
    next(random) {
      bytes = mutatedWhereUsed(seeds[random(seeds.length)] ?? bytes, random);
      return { what: 'disk', bytes };
    },
    here() {
      const disk = memoryBytes(bytes);
      return [contentsOf(disk), planAdoption(disk)];
    },
    async really(path) {
      const to = at.path('fuzzed.qcow2');
      try {
        await convertDisk({ path, format: 'raw', to, adoption: { sshPublicKeys: ['ssh-ed25519 AAAA new'] } });
      } finally {
        await rm(to, { force: true });
      }
    },
    reallyEvery: 1000,
    // What e2fsprogs refuses to write to may be sound enough to be read.
    isAlike: false,
  };
}
