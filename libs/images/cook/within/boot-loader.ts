import { access, cp, mkdir, open, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DiskIdentities } from '../identities.ts';
import type { DiskPlan } from './job.ts';
import { runInRoot } from './run-in-root.ts';

/**
 * Both consoles: the screen that a viewer shows and the serial line that `virsh console` and logs read; the
 * last one named is where the boot's messages go. The card is eth0 in every boot, as its configuration says.
 */
const KERNEL_ARGUMENTS = 'ro console=tty0 console=ttyS0,115200 net.ifnames=0 no_timer_check quiet';

/** Where the disk's partitions lie, in sectors of 512 bytes. */
export const layout = {
  sectorBytes: 512,
  biosBoot: { start: 2048, sectors: 2048 },
  esp: { start: 4096, sectors: 131_072 },
  root: { start: 135_168 },
  /** Kept free behind the root partition: the second copy of the partition table, and alignment. */
  tailSectors: 2048,
} as const;

/** systemd-repart grows the partition; this mount option lets the kernel grow the file system after it. */
export const rootMount = ({ rootFilesystemUuid }: DiskIdentities) =>
  `UUID=${rootFilesystemUuid} / ext4 errors=remount-ro,x-systemd.growfs 0 1`;

/** Mounted when something looks at it: a boot loader update does, a boot does not. */
export const espMount = ({ espSerial }: DiskIdentities) =>
  `UUID=${espSerial.slice(0, 4)}-${espSerial.slice(4)} /boot/efi vfat umask=0077,noauto,x-systemd.automount 0 0`;

/**
 * GRUB's menu with one entry and no wait. The settings that `update-grub` reads are written too, so that the
 * menu which a kernel upgrade makes on the server boots in the same way.
 */
export async function writeBootMenu(rootDir: string, { kernel, identities }: DiskPlan): Promise<void> {
  await access(join(rootDir, `boot/vmlinuz-${kernel}`));
  const uuid = identities.rootFilesystemUuid;
  await mkdir(join(rootDir, 'boot/grub'), { recursive: true });
  await mkdir(join(rootDir, 'boot/efi'), { recursive: true });
  await mkdir(join(rootDir, 'etc/default/grub.d'), { recursive: true });
  await writeFile(
    join(rootDir, 'boot/grub/grub.cfg'),
    [
      'set timeout=0',
      'menuentry "Debian GNU/Linux" {',
      `  search --no-floppy --fs-uuid --set=root ${uuid}`,
      `  linux /boot/vmlinuz-${kernel} root=UUID=${uuid} ${KERNEL_ARGUMENTS}`,
      `  initrd /boot/initrd.img-${kernel}`,
      '}\n',
    ].join('\n'),
  );
  const settings = [
    'GRUB_TIMEOUT=0',
    'GRUB_TERMINAL=console',
    `GRUB_CMDLINE_LINUX="${KERNEL_ARGUMENTS.slice(3)}"`,
  ];
  await writeFile(join(rootDir, 'etc/default/grub.d/servery.cfg'), `${settings.join('\n')}\n`);
}

const CORE_IMAGE = 'boot/grub/i386-pc/core.img';

/**
 * GRUB's own files: its image for a BIOS, and beside the menu the modules that `insmod` looks for there. All
 * of it is written before the times of the root are settled.
 */
export async function writeGrubFiles(rootDir: string, installDir: string): Promise<void> {
  for (const platform of ['i386-pc', 'x86_64-efi']) {
    const from = join(rootDir, 'usr/lib/grub', platform);
    const to = join(rootDir, 'boot/grub', platform);
    await mkdir(to, { recursive: true });
    for (const name of (await readdir(from)).sort()) {
      if (/\.(mod|lst)$/.test(name)) await cp(join(from, name), join(to, name));
    }
  }
  const modules = [
    'biosdisk',
    'part_gpt',
    'ext2',
    'normal',
    'configfile',
    'linux',
    'search',
    'search_fs_uuid',
  ];
  const target = ['-O', 'i386-pc', '-o', `/${CORE_IMAGE}`, '-p', '(,gpt3)/boot/grub'];
  await runInRoot(installDir, ['grub-mkimage', ...target, ...modules]);
}

/**
 * Makes a disk start by itself on a BIOS: GRUB's first sector in the master boot record, the rest in the
 * BIOS boot partition. What `grub-bios-setup` would do through a loop device, done to the file; offsets are
 * those of GRUB's `grub/i386/pc/boot.h`.
 */
export async function installBiosLoader(diskPath: string, rootDir: string): Promise<void> {
  const BOOT_CODE_BYTES = 440;
  const KERNEL_SECTOR = 0x5c;
  const DRIVE_CHECK = 0x66;
  const BLOCKLIST_START = 0x1f4;
  const { start, sectors } = layout.biosBoot;

  const boot = (await readFile(join(rootDir, 'usr/lib/grub/i386-pc/boot.img'))).subarray(0, BOOT_CODE_BYTES);
  boot.writeBigUInt64LE(BigInt(start), KERNEL_SECTOR);
  boot.writeUInt16LE(0x9090, DRIVE_CHECK);

  const core = await readFile(join(rootDir, CORE_IMAGE));
  if (core.length > sectors * layout.sectorBytes) throw new Error('GRUB is larger than its partition');
  core.writeBigUInt64LE(BigInt(start + 1), BLOCKLIST_START);

  const disk = await open(diskPath, 'r+');
  try {
    await disk.write(boot, 0, boot.length, 0);
    await disk.write(core, 0, core.length, start * layout.sectorBytes);
  } finally {
    await disk.close();
  }
}

/** What the EFI system partition holds: path there → file in the root, or the text itself. */
export function espContent(
  identities: DiskIdentities,
): readonly { path: string; from?: string; text?: string }[] {
  const shim = 'usr/lib/shim/shimx64.efi.signed';
  const mokManager = 'usr/lib/shim/mmx64.efi.signed';
  const grub = 'usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed';
  const menu = [
    `search.fs_uuid ${identities.rootFilesystemUuid} root`,
    'set prefix=($root)/boot/grub',
    'configfile $prefix/grub.cfg\n',
  ].join('\n');
  return [
    { path: 'EFI/BOOT/BOOTX64.EFI', from: shim },
    { path: 'EFI/BOOT/grubx64.efi', from: grub },
    { path: 'EFI/BOOT/mmx64.efi', from: mokManager },
    { path: 'EFI/debian/grub.cfg', text: menu },
  ];
}
