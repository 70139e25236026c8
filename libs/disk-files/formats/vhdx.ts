import { type ByteSource, exact, inPieces, isPowerOfTwo, liesWithin } from '../byte-source.ts';
import { type DiskFacts, type DiskLimits, virtualSize, wholeFile } from '../disk-facts.ts';
import { diskError, malformed } from '../disk-files.errors.ts';
import { crc32cWithout } from './crc32c.ts';

/** Microsoft's [MS-VHDX]; bounds as there and in QEMU (block/vhdx.c). */
const KIB = 1024;
const MIB = 1024 * KIB;
const HEADERS_AT = [64 * KIB, 128 * KIB];
const REGIONS_AT = 192 * KIB;
const MAX_ENTRIES = 2047;
const MAX_BAT_BYTES = 256 * MIB;
const REGION = { bat: '6677c22d23f600429d64115e9bfd4a08', metadata: '06a27c8b90479a4bb8fe575f050f886e' };
const ITEM = {
  file: '3767a1ca36fa434db3b633f0aa44e76b',
  size: '2442a52f1bcd7648b2115dbed83bf4b8',
  logicalSector: '1dbf41816fa90947ba47f233a8faab5f',
  physicalSector: 'c748a3cd5d4471449cc9e9885251c556',
  page83: 'ab12cabee6b2234593efc309e000c746',
};
const PARENT_LOCATOR = '2d5fd3a80bb34d45abf7d3d84834ab0c';
const HAS_PARENT = 2;

interface Region {
  readonly offset: number;
  readonly length: number;
}

/** @throws DomainError `disk_*`: see ../disk-files.errors.ts */
export function parseVhdx(source: ByteSource, limits: DiskLimits): DiskFacts {
  refuseLog(source);
  const { bat, metadata } = readRegions(source);
  const items = readItems(source, metadata);
  const parameters = itemOf(source, metadata, items, ITEM.file, 8);
  const blockBytes = parameters.readUInt32LE(0);
  if ((parameters.readUInt32LE(4) & HAS_PARENT) !== 0) throw parent();
  const virtualSizeBytes = virtualSize(
    itemOf(source, metadata, items, ITEM.size, 8).readBigUInt64LE(0),
    limits,
  );
  const sectorBytes = itemOf(source, metadata, items, ITEM.logicalSector, 4).readUInt32LE(0);
  if (!isPowerOfTwo(blockBytes) || blockBytes < MIB || blockBytes > 256 * MIB)
    throw malformed(`Blocks of ${blockBytes} bytes are absurd`);
  if (sectorBytes !== 512) {
    throw diskError(
      'disk_unsupported',
      'The VHDX has sectors of 4096 bytes. Convert it with qemu-img, or Convert-VHD.',
    );
  }
  return wholeFile({
    format: 'vhdx',
    lengthBytes: source.sizeBytes,
    virtualSizeBytes,
    allocatedBytes: Math.min(
      virtualSizeBytes,
      countBlocks(source, bat, blockBytes, virtualSizeBytes) * blockBytes,
    ),
  });
}

/** A log that has to be replayed rewrites the tables: what is read before is not what is converted after. */
function refuseLog(source: ByteSource): void {
  const headers = HEADERS_AT.map((at) => source.read(at, 4096)).filter(
    (header) =>
      header.toString('latin1', 0, 4) === 'head' && crc32cWithout(header, 4) === header.readUInt32LE(4),
  );
  if (headers.length === 0) throw malformed('Both headers of the VHDX are damaged');
  for (const header of headers) {
    if (header.readUInt16LE(66) !== 1 || header.readUInt16LE(64) !== 0)
      throw diskError('disk_unsupported', 'Only VHDX of version 1 is taken. Convert the disk with qemu-img.');
    if (header.subarray(48, 64).some((byte) => byte !== 0)) {
      throw diskError(
        'disk_needs_repair',
        'The VHDX was not closed cleanly: its log waits. Attach it once, or run qemu-img check -r all on it.',
      );
    }
  }
}

function readRegions(source: ByteSource): { bat: Region; metadata: Region } {
  const table = source.read(REGIONS_AT, 64 * KIB);
  if (table.toString('latin1', 0, 4) !== 'regi' || crc32cWithout(table, 4) !== table.readUInt32LE(4))
    throw malformed('The VHDX’s region table is damaged');
  const count = table.readUInt32LE(8);
  if (count > MAX_ENTRIES) throw malformed(`A region table of ${count} entries is absurd`);
  const found = new Map<string, Region>();
  for (let index = 0; index < count; index++) {
    const entry = table.subarray(16 + index * 32, 48 + index * 32);
    const region = {
      offset: exact(entry.readBigUInt64LE(16), 'A region’s offset'),
      length: entry.readUInt32LE(24),
    };
    const id = entry.toString('hex', 0, 16);
    const known = Object.values(REGION).includes(id);
    if (!known && (entry.readUInt32LE(28) & 1) !== 0)
      throw diskError(
        'disk_unsupported',
        'The VHDX has required regions that are not known. Convert it with qemu-img.',
      );
    if (
      found.has(id) ||
      region.offset < MIB ||
      region.offset % MIB !== 0 ||
      !liesWithin(source.sizeBytes, region.offset, region.length)
    ) {
      throw malformed('A region of the VHDX is not within the file, or twice');
    }
    found.set(id, region);
  }
  const bat = found.get(REGION.bat);
  const metadata = found.get(REGION.metadata);
  if (!bat || !metadata || overlap(bat, metadata))
    throw malformed('The VHDX lacks its tables, or they overlap');
  return { bat, metadata };
}

function overlap(one: Region, other: Region): boolean {
  return one.offset < other.offset + other.length && other.offset < one.offset + one.length;
}

function readItems(source: ByteSource, metadata: Region): ReadonlyMap<string, Region> {
  const table = source.read(metadata.offset, 64 * KIB);
  const count = table.readUInt16LE(10);
  if (table.toString('latin1', 0, 8) !== 'metadata' || count > MAX_ENTRIES)
    throw malformed('The VHDX’s metadata are damaged');
  const items = new Map<string, Region>();
  for (let index = 0; index < count; index++) {
    const entry = table.subarray(32 + index * 32, 64 + index * 32);
    const id = entry.toString('hex', 0, 16);
    if (id === PARENT_LOCATOR) throw parent();
    const required = (entry.readUInt32LE(24) & 4) !== 0;
    if (required && !Object.values(ITEM).includes(id))
      throw diskError(
        'disk_unsupported',
        'The VHDX has required metadata that are not known. Convert it with qemu-img.',
      );
    if (items.has(id)) throw malformed('The VHDX’s metadata say one thing twice');
    items.set(id, { offset: entry.readUInt32LE(16), length: entry.readUInt32LE(20) });
  }
  return items;
}

function itemOf(
  source: ByteSource,
  metadata: Region,
  items: ReadonlyMap<string, Region>,
  id: string,
  length: number,
): Buffer {
  const item = items.get(id);
  if (
    !item ||
    item.length !== length ||
    item.offset < 64 * KIB ||
    !liesWithin(metadata.length, item.offset, length)
  ) {
    throw malformed('The VHDX’s metadata lack what a disk needs');
  }
  return source.read(metadata.offset + item.offset, length);
}

/** Payload blocks that are there in full; between them stand entries for a bitmap, one after each chunk. */
function countBlocks(source: ByteSource, bat: Region, blockBytes: number, virtualSizeBytes: number): number {
  const perChunk = (2 ** 23 * 512) / blockBytes;
  const payload = Math.ceil(virtualSizeBytes / blockBytes);
  const length = (payload + Math.floor((payload - 1) / perChunk)) * 8;
  if (length > bat.length || length > MAX_BAT_BYTES)
    throw malformed('The VHDX’s table is too short for its size');
  const blocks: number[] = [];
  inPieces(source, bat.offset, length, (piece) => {
    for (let at = 0; at < piece.length; at += 8) {
      const entry = piece.readBigUInt64LE(at);
      const state = Number(entry & 7n);
      if (state === 7) throw parent();
      if (state !== 6) continue;
      blocks.push(exact((entry >> 20n) * BigInt(MIB), 'A block’s offset'));
    }
  });
  const sorted = Float64Array.from(blocks).sort();
  const wrong = sorted.some(
    (block, index) => block < MIB || (index > 0 && block - (sorted[index - 1] ?? 0) < blockBytes),
  );
  if (wrong || (sorted.at(-1) ?? 0) >= source.sizeBytes)
    throw malformed('The VHDX’s blocks overlap, or lie behind the file’s end');
  return sorted.length;
}

function parent() {
  return diskError(
    'disk_refers_elsewhere',
    'The VHDX stands on a parent disk (differencing). Merge it, and upload the result.',
  );
}
