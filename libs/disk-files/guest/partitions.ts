import { type ByteSource, exact, liesWithin, partOf } from '../byte-source.ts';

const SECTOR_BYTES = 512;
const MOST = 128;
const GPT_PROTECTIVE = 0xee;
const EXTENDED: readonly number[] = [0x05, 0x0f, 0x85];

/** The partitions of a disk, and the whole of it, which may be a file system by itself. */
export function partitionsOf(disk: ByteSource): ByteSource[] {
  const boot = disk.read(0, SECTOR_BYTES);
  if (boot.readUInt16LE(510) !== 0xaa55) return [disk];
  const entries = [0, 1, 2, 3].map((index) => boot.subarray(446 + index * 16, 462 + index * 16));
  const ranges = entries.some((entry) => entry[4] === GPT_PROTECTIVE)
    ? gptRanges(disk)
    : entries
        .filter((entry) => entry[4] !== 0 && !EXTENDED.includes(entry[4] ?? 0))
        .map((entry) => ({
          start: entry.readUInt32LE(8) * SECTOR_BYTES,
          size: entry.readUInt32LE(12) * SECTOR_BYTES,
        }));
  const sound = ranges.filter(({ start, size }) => size > 0 && liesWithin(disk.sizeBytes, start, size));
  return [...sound.map(({ start, size }) => partOf(disk, start, size)), disk];
}

function gptRanges(disk: ByteSource): { start: number; size: number }[] {
  const header = disk.read(SECTOR_BYTES, 92);
  if (header.toString('latin1', 0, 8) !== 'EFI PART') return [];
  const table = exact(header.readBigUInt64LE(72), 'The partition table') * SECTOR_BYTES;
  const count = Math.min(MOST, header.readUInt32LE(80));
  const entryBytes = header.readUInt32LE(84);
  if (entryBytes < 128 || entryBytes > 4096) return [];
  return Array.from({ length: count }, (_, index) => {
    const entry = disk.read(table + index * entryBytes, 48);
    const [first, last] = [
      exact(entry.readBigUInt64LE(32), 'A start'),
      exact(entry.readBigUInt64LE(40), 'An end'),
    ];
    return { start: first * SECTOR_BYTES, size: first === 0 ? 0 : (last - first + 1) * SECTOR_BYTES };
  });
}
