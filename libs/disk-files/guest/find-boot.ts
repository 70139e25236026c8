import { DomainError } from '#libs/kernel';
import type { ByteSource } from '../byte-source.ts';
import { Ext4 } from './ext4.ts';
import { Fat } from './fat.ts';
import { layoutOf, type Partition, placesOf } from './partitions.ts';

/** Ways in which a disk can be started, by what lies in its first sectors and its EFI system partition. */
export interface BootWays {
  readonly bios: boolean;
  readonly uefi: boolean;
}

export const FILE_SYSTEMS = ['ext', 'xfs', 'btrfs', 'ntfs', 'fat', 'lvm', 'luks', 'swap'] as const;
export type FileSystem = (typeof FILE_SYSTEMS)[number];

/** Where firmware looks that has never seen the disk (UEFI specification, 3.5.1.1). */
const REMOVABLE_LOADER = '/EFI/BOOT/BOOTX64.EFI';

export function findBoot(disk: ByteSource): BootWays {
  const { scheme, hasBootCode, partitions } = layoutOf(disk);
  // Partitioning tools write code of their own that does nothing but say so: on GPT the loader needs a place to be.
  const isLoaderPlaced =
    scheme !== 'gpt' || partitions.some(({ role }) => role === 'bios_boot' || role === 'legacy_bootable');
  return { bios: hasBootCode && isLoaderPlaced, uefi: partitions.some(hasLoader) };
}

function hasLoader({ bytes, role }: Partition): boolean {
  if (role !== 'efi') return false;
  const begin = unlessMalformed(() => Fat.in(bytes)?.head(REMOVABLE_LOADER, 2));
  return begin?.toString('latin1') === 'MZ';
}

/** Kinds of file systems and containers by their marks, each once; what is not known is left out. */
export function findFileSystems(disk: ByteSource): FileSystem[] {
  const found = placesOf(disk).flatMap(({ bytes }) => unlessMalformed(() => fileSystemOf(bytes)) ?? []);
  return FILE_SYSTEMS.filter((one) => found.includes(one));
}

const MARKS: readonly (readonly [FileSystem, offset: number, mark: string])[] = [
  ['xfs', 0, 'XFSB'],
  ['btrfs', 0x1_0040, '_BHRfS_M'],
  ['ntfs', 3, 'NTFS    '],
  ['luks', 0, 'LUKS\xba\xbe'],
  ['lvm', 0x218, 'LVM2 001'],
  ['swap', 4086, 'SWAPSPACE2'],
];

function fileSystemOf(bytes: ByteSource): FileSystem | undefined {
  const marked = MARKS.find(
    ([, offset, mark]) =>
      bytes.sizeBytes >= offset + mark.length && bytes.read(offset, mark.length).toString('latin1') === mark,
  );
  if (marked) return marked[0];
  if (Ext4.in(bytes)) return 'ext';
  return Fat.in(bytes) ? 'fat' : undefined;
}

/** A place that leads nowhere says nothing, and forbids nothing elsewhere. */
export function unlessMalformed<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (error instanceof DomainError) return undefined;
    throw error;
  }
}
