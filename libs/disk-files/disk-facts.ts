import { BYTES_PER_GIB } from '#libs/kernel';
import { diskError, malformed } from './disk-files.errors.ts';

/** What an uploader may name. The format is always the one that was given. */
export const DISK_FORMATS = ['qcow2', 'raw', 'vmdk', 'vdi', 'vhd', 'vhdx', 'ova'] as const;
export type DiskFormat = (typeof DISK_FORMATS)[number];

/** A disk as such; an OVA is an archive of some. */
export type SingleDiskFormat = Exclude<DiskFormat, 'ova'>;

/** Where a disk lies in the file that was given, and how large it is. */
export interface DiskFacts {
  readonly format: SingleDiskFormat;
  /** Its name within an archive; null where the file is the disk. */
  readonly name: string | null;
  readonly offsetBytes: number;
  readonly lengthBytes: number;
  /** What the guest sees; a multiple of 512. */
  readonly virtualSizeBytes: number;
  /** About how much of it holds data, by its tables; null where the format does not tell. */
  readonly allocatedBytes: number | null;
  /** For raw disks: what their first sectors are. */
  readonly partitionTable: 'mbr' | 'gpt' | null;
}

/** What a description of the machine says (OVF); hints, never promises. */
export interface MachineHints {
  readonly name: string | null;
  readonly cpus: number | null;
  readonly memoryMib: number | null;
  readonly firmware: 'bios' | 'efi' | null;
  readonly operatingSystem: string | null;
}

export interface InspectedFile {
  readonly format: DiskFormat;
  /** At least one; in the order in which the machine has them. */
  readonly disks: readonly DiskFacts[];
  readonly machine: MachineHints | null;
}

/** What a disk may have and cost. */
export interface DiskLimits {
  readonly virtualSizeBytes: number;
}

export const DEFAULT_DISK_LIMITS: DiskLimits = { virtualSizeBytes: 2048 * BYTES_PER_GIB };

const SECTOR_BYTES = 512;

/**
 * The virtual size that a header names, where it is one.
 * @throws DomainError `disk_too_large`, `disk_malformed` (nothing, or half a sector)
 */
export function virtualSize(bytes: bigint, limits: DiskLimits): number {
  if (bytes > BigInt(limits.virtualSizeBytes)) {
    const most = Math.floor(limits.virtualSizeBytes / BYTES_PER_GIB);
    throw diskError(
      'disk_too_large',
      `The disk's size is ${bytes} bytes; at most ${most} GiB are taken. Shrink it first.`,
    );
  }
  if (bytes === 0n || bytes % BigInt(SECTOR_BYTES) !== 0n) {
    throw malformed(`The disk's size (${bytes} bytes) is not a number of whole sectors`);
  }
  return Number(bytes);
}

/** Facts about a disk that is the whole of its file. */
export function wholeFile(
  facts: Pick<DiskFacts, 'format' | 'lengthBytes' | 'virtualSizeBytes' | 'allocatedBytes'> &
    Partial<DiskFacts>,
): DiskFacts {
  return { name: null, offsetBytes: 0, partitionTable: null, ...facts };
}
