import { type ByteSource, exact, liesWithin, partOf } from '../byte-source.ts';

const SECTOR_BYTES = 512;
const BOOT_CODE_BYTES = 440;
const MOST = 128;
const MBR_EFI = 0xef;
const GPT_PROTECTIVE = 0xee;
const EXTENDED: readonly number[] = [0x05, 0x0f, 0x85];
/** GUIDs as they lie on the disk (UEFI specification, 5.3.3): the first three groups in little endian. */
const GPT_EFI = '28732ac11ff8d211ba4b00a0c93ec93b';
const GPT_BIOS_BOOT = '4861682149646f6e744e656564454649';
/** Attribute bit 2: a BIOS may boot it. */
const LEGACY_BOOTABLE = 4;

export interface Partition {
  readonly bytes: ByteSource;
  readonly startBytes: number;
  readonly role: 'efi' | 'bios_boot' | 'legacy_bootable' | 'other';
}

/** What the first sectors of a disk say of it. */
export interface DiskLayout {
  readonly scheme: 'mbr' | 'gpt' | null;
  /** The first sector has code, and the mark by which a BIOS knows that. */
  readonly hasBootCode: boolean;
  readonly partitions: readonly Partition[];
}

interface Range {
  readonly start: number;
  readonly size: number;
  readonly role: Partition['role'];
}

export function layoutOf(disk: ByteSource): DiskLayout {
  const boot = disk.read(0, SECTOR_BYTES);
  if (boot.readUInt16LE(510) !== 0xaa55) return { scheme: null, hasBootCode: false, partitions: [] };
  const hasBootCode = boot.subarray(0, BOOT_CODE_BYTES).some((byte) => byte !== 0);
  const entries = [0, 1, 2, 3].map((index) => boot.subarray(446 + index * 16, 462 + index * 16));
  const isGpt = entries.some((entry) => entry[4] === GPT_PROTECTIVE);
  const ranges = isGpt ? gptRanges(disk) : mbrRanges(entries);
  const partitions = ranges
    .filter(({ start, size }) => size > 0 && liesWithin(disk.sizeBytes, start, size))
    .map(({ start, size, role }) => ({ bytes: partOf(disk, start, size), startBytes: start, role }));
  const scheme = isGpt ? 'gpt' : partitions.length > 0 ? 'mbr' : null;
  return { scheme, hasBootCode, partitions };
}

/** Where a file system may be: in the partitions, or on the whole disk. */
export function placesOf(disk: ByteSource): Pick<Partition, 'bytes' | 'startBytes'>[] {
  return [...layoutOf(disk).partitions, { bytes: disk, startBytes: 0 }];
}

function mbrRanges(entries: readonly Buffer[]): Range[] {
  return entries
    .filter((entry) => entry[4] !== 0 && !EXTENDED.includes(entry[4] ?? 0))
    .map((entry) => ({
      start: entry.readUInt32LE(8) * SECTOR_BYTES,
      size: entry.readUInt32LE(12) * SECTOR_BYTES,
      role: entry[4] === MBR_EFI ? 'efi' : 'other',
    }));
}

function gptRanges(disk: ByteSource): Range[] {
  const header = disk.read(SECTOR_BYTES, 92);
  if (header.toString('latin1', 0, 8) !== 'EFI PART') return [];
  const table = exact(header.readBigUInt64LE(72), 'The partition table') * SECTOR_BYTES;
  const count = Math.min(MOST, header.readUInt32LE(80));
  const entryBytes = header.readUInt32LE(84);
  if (entryBytes < 128 || entryBytes > 4096) return [];
  return Array.from({ length: count }, (_, index) => {
    const entry = disk.read(table + index * entryBytes, 56);
    const [first, last] = [
      exact(entry.readBigUInt64LE(32), 'A start'),
      exact(entry.readBigUInt64LE(40), 'An end'),
    ];
    return {
      start: first * SECTOR_BYTES,
      size: first === 0 ? 0 : (last - first + 1) * SECTOR_BYTES,
      role: gptRole(entry),
    };
  });
}

function gptRole(entry: Buffer): Range['role'] {
  const type = entry.toString('hex', 0, 16);
  if (type === GPT_EFI) return 'efi';
  if (type === GPT_BIOS_BOOT) return 'bios_boot';
  return (entry.readUInt8(48) & LEGACY_BOOTABLE) !== 0 ? 'legacy_bootable' : 'other';
}
