export const SECTOR_BYTES = 512;
/** Where partitions begin on every disk of today; before it stands the boot loader. */
const FIRST_SECTOR = 2048;

/** Where the parts of the disk lie, in sectors; known before GRUB's core is made, which names them. */
export interface DiskPlan {
  readonly kernel: { readonly start: number; readonly count: number };
  readonly initrd: { readonly start: number; readonly count: number };
  readonly state: { readonly start: number; readonly count: number };
  readonly sectors: number;
}

export function planDisk(kernelBytes: number, initrdBytes: number, stateBytes: number): DiskPlan {
  const kernel = { start: FIRST_SECTOR, count: sectorsOf(kernelBytes) };
  const initrd = { start: kernel.start + kernel.count, count: sectorsOf(initrdBytes) };
  const state = { start: initrd.start + initrd.count, count: sectorsOf(stateBytes) };
  const end = state.start + state.count;
  return { kernel, initrd, state, sectors: Math.ceil(end / FIRST_SECTOR) * FIRST_SECTOR };
}

/** GRUB's embedded script: kernel and initramfs as plain runs of sectors, so that no file system is needed. */
export function bootScript({ kernel, initrd }: DiskPlan): string {
  return [
    `linux (hd0)${kernel.start}+${kernel.count} console=ttyS0 quiet panic=1 mitigations=off random.trust_cpu=on rdinit=/init`,
    `initrd (hd0)${initrd.start}+${initrd.count}`,
    'boot',
    '',
  ].join('\n');
}

export interface DiskParts {
  /** GRUB's boot.img and core.img for BIOS. */
  readonly boot: Buffer;
  readonly core: Buffer;
  readonly kernel: Buffer;
  readonly initrd: Buffer;
}

/** A whole disk that any BIOS boots. Its one partition covers what follows the boot loader. */
export function bootDisk(plan: DiskPlan, parts: DiskParts): Buffer {
  if (parts.core.length > (FIRST_SECTOR - 1) * SECTOR_BYTES)
    throw new Error('GRUB does not fit before the first partition');
  const disk = Buffer.alloc(plan.sectors * SECTOR_BYTES);
  // Without block lists of another place, boot.img reads core.img from sector 1, which is where it stands.
  parts.boot.copy(disk, 0, 0, 440);
  parts.core.copy(disk, SECTOR_BYTES);
  disk.writeUInt8(0x80, 446);
  disk.set([0xfe, 0xff, 0xff, 0xda, 0xfe, 0xff, 0xff], 447);
  disk.writeUInt32LE(FIRST_SECTOR, 454);
  disk.writeUInt32LE(plan.sectors - FIRST_SECTOR, 458);
  disk.writeUInt16LE(0xaa55, 510);
  parts.kernel.copy(disk, plan.kernel.start * SECTOR_BYTES);
  parts.initrd.copy(disk, plan.initrd.start * SECTOR_BYTES);
  return disk;
}

const sectorsOf = (bytes: number) => Math.ceil(bytes / SECTOR_BYTES);
