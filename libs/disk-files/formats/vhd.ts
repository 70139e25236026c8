import { type ByteSource, exact, headOf, inPieces, isPowerOfTwo, liesWithin } from '../byte-source.ts';
import { type DiskFacts, type DiskLimits, virtualSize, wholeFile } from '../disk-facts.ts';
import { diskError, malformed } from '../disk-files.errors.ts';

/** Microsoft's "Virtual Hard Disk Image Format Specification" 1.0; bounds as QEMU has them (block/vpc.c). */
const FOOTER_BYTES = 512;
const DYNAMIC_HEADER_BYTES = 1024;
const SECTOR_BYTES = 512;
const UNALLOCATED = 0xffff_ffff;
const MIN_BLOCK_BYTES = 512 * 1024;
const MAX_BLOCK_BYTES = 256 * 1024 * 1024;
const TYPE = { fixed: 2, dynamic: 3, differencing: 4 };

/** @throws DomainError `disk_*`: see ../disk-files.errors.ts */
export function parseVhd(source: ByteSource, limits: DiskLimits): DiskFacts {
  const footer = source.read(source.sizeBytes - FOOTER_BYTES, FOOTER_BYTES);
  checkSum(footer, 64, 'conectix', 'The VHD’s footer');
  const type = footer.readUInt32BE(60);
  if (type === TYPE.differencing) throw parent();
  if (type !== TYPE.fixed && type !== TYPE.dynamic)
    throw diskError('disk_unsupported', `A VHD of type ${type} is not taken. Convert it with qemu-img.`);
  const virtualSizeBytes = virtualSize(footer.readBigUInt64BE(48), limits);
  const facts = { format: 'vhd', lengthBytes: source.sizeBytes, virtualSizeBytes } as const;
  const copied = headOf(source, FOOTER_BYTES);
  if (type === TYPE.fixed) {
    if (
      copied.toString('latin1', 0, 8) === 'conectix' ||
      source.sizeBytes !== virtualSizeBytes + FOOTER_BYTES
    ) {
      throw malformed('The VHD is not as long as its footer says');
    }
    return wholeFile({ ...facts, allocatedBytes: virtualSizeBytes });
  }
  // QEMU believes the copy at the beginning, others the footer: they are to say the same.
  if (!copied.equals(footer)) throw malformed('The VHD’s header and footer differ');
  return wholeFile({ ...facts, allocatedBytes: countBlocks(source, footer, virtualSizeBytes) });
}

function countBlocks(source: ByteSource, footer: Buffer, virtualSizeBytes: number): number {
  const header = source.read(
    exact(footer.readBigUInt64BE(16), 'The VHD’s header offset'),
    DYNAMIC_HEADER_BYTES,
  );
  checkSum(header, 36, 'cxsparse', 'The VHD’s dynamic header');
  if (
    header.subarray(40, 56).some((byte) => byte !== 0) ||
    header.subarray(576, 768).some((byte) => byte !== 0)
  )
    throw parent();
  const table = exact(header.readBigUInt64BE(16), 'The VHD’s table offset');
  const entries = header.readUInt32BE(28);
  const blockBytes = header.readUInt32BE(32);
  if (!isPowerOfTwo(blockBytes) || blockBytes < MIN_BLOCK_BYTES || blockBytes > MAX_BLOCK_BYTES)
    throw malformed(`Blocks of ${blockBytes} bytes are absurd`);
  const needed = Math.ceil(virtualSizeBytes / blockBytes);
  if (entries < needed || entries > needed + 1024 * 1024)
    throw malformed(`A table of ${entries} entries is absurd for this size`);
  if (table < FOOTER_BYTES || !liesWithin(source.sizeBytes, table, entries * 4))
    throw malformed('The VHD’s table ends behind the file’s end');
  const blocks: number[] = [];
  inPieces(source, table, entries * 4, (piece) => {
    for (let at = 0; at < piece.length; at += 4) {
      const sector = piece.readUInt32BE(at);
      if (sector !== UNALLOCATED) blocks.push(sector * SECTOR_BYTES);
    }
  });
  checkBlocks(Float64Array.from(blocks).sort(), blockBytes, source.sizeBytes);
  return Math.min(virtualSizeBytes, blocks.length * blockBytes);
}

function checkBlocks(sorted: Float64Array, blockBytes: number, sizeBytes: number): void {
  const overlap = sorted.some((block, index) => index > 0 && block - (sorted[index - 1] ?? 0) < blockBytes);
  const last = sorted.at(-1);
  if (overlap || (last !== undefined && !liesWithin(sizeBytes, last, SECTOR_BYTES))) {
    throw malformed('The VHD’s blocks overlap, or lie behind the file’s end');
  }
}

/** The ones' complement of the sum of all bytes but the sum's own. */
function checkSum(bytes: Buffer, at: number, cookie: string, what: string): void {
  const told = bytes.readUInt32BE(at);
  const sum = bytes.reduce((all, byte, index) => (index >= at && index < at + 4 ? all : all + byte), 0);
  if (bytes.toString('latin1', 0, 8) !== cookie || ~sum >>> 0 !== told) throw malformed(`${what} is damaged`);
}

function parent() {
  return diskError(
    'disk_refers_elsewhere',
    'The VHD stands on a parent disk (differencing). Merge it, and upload the result.',
  );
}
