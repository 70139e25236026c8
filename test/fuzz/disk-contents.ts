import { execFile } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { convertDisk } from '#libs/disk-files';
import { planAdoption } from '../../libs/disk-files/adoption/plan.ts';
import { memoryBytes } from '../../libs/disk-files/byte-source.ts';
import { contentsOf } from '../../libs/disk-files/guest/contents.ts';
import type { Ground } from '../../libs/disk-files/planted.fixture.ts';
import { mutatedWhereUsed } from './mutations.ts';
import type { Target } from './target.ts';

const run = promisify(execFile);
const MIB = 1024 * 1024;
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
  const root = at.path('root');
  for (const [name, text] of Object.entries(system)) {
    await mkdir(dirname(join(root, name)), { recursive: true });
    await writeFile(join(root, name), text);
  }
  const seeds = [
    ...(await Promise.all(['ext4', 'ext3', 'ext2'].map((type) => extDisk(at, root, type)))),
    await espDisk(at, root, '12'),
    await espDisk(at, root, '32'),
  ];
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

/** A file system behind an MBR. */
async function extDisk(at: Ground, root: string, type: string): Promise<Buffer> {
  const path = at.path(type);
  await run('mke2fs', ['-q', '-F', '-t', type, '-d', root, path, '3M']);
  const disk = Buffer.concat([Buffer.alloc(MIB), await readFile(path)]);
  disk[446 + 4] = 0x83;
  disk.writeUInt32LE(2048, 446 + 8);
  disk.writeUInt32LE((3 * MIB) / 512, 446 + 12);
  disk.writeUInt16LE(0xaa55, 510);
  return disk;
}

/** An EFI system partition behind a GPT. */
async function espDisk(at: Ground, root: string, bits: '12' | '32'): Promise<Buffer> {
  const [esp, path] = [at.path(`esp${bits}`), at.path(`gpt${bits}`)];
  const mib = bits === '32' ? 34 : 2;
  await run('mkfs.vfat', ['-F', bits, '-C', esp, String(mib * 1024)]);
  await run('mcopy', ['-s', '-i', esp, join(root, 'EFI'), '::/']);
  await run('truncate', ['-s', `${mib + 2}M`, path]);
  const sfdisk = run('sfdisk', ['-q', path]);
  sfdisk.child.stdin?.end(`label: gpt\nstart=2048, size=${mib * 2048}, type=U\n`);
  await sfdisk;
  const disk = await readFile(path);
  (await readFile(esp)).copy(disk, MIB);
  return disk;
}
