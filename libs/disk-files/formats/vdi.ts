import { type ByteSource, headOf, inPieces, liesWithin } from '../byte-source.ts';
import { type DiskFacts, type DiskLimits, virtualSize, wholeFile } from '../disk-facts.ts';
import { diskError, malformed } from '../disk-files.errors.ts';

/** VirtualBox's VDICore.h; bounds as QEMU has them (block/vdi.c). */
const HEADER_BYTES = 512;
const VERSION_1_1 = 0x0001_0001;
const BLOCK_BYTES = 1024 * 1024;
const DYNAMIC = 1;
const FIXED = 2;
/** Entries of the map for blocks that were never written, or are zero. */
const FIRST_UNALLOCATED = 0xffff_fffe;

/** @throws DomainError `disk_*`: see ../disk-files.errors.ts */
export function parseVdi(source: ByteSource, limits: DiskLimits): DiskFacts {
  const head = headOf(source, HEADER_BYTES);
  if (head.length < HEADER_BYTES) throw malformed('The file is too short for a VDI header');
  refuseKinds(head);
  const virtualSizeBytes = virtualSize(head.readBigUInt64LE(0x170), limits);
  const blocks = head.readUInt32LE(0x180);
  const allocated = head.readUInt32LE(0x184);
  const map = { offset: head.readUInt32LE(0x154), length: blocks * 4 };
  const data = head.readUInt32LE(0x158);
  if (
    head.readUInt32LE(0x168) !== 512 ||
    head.readUInt32LE(0x178) !== BLOCK_BYTES ||
    head.readUInt32LE(0x17c) !== 0
  ) {
    throw diskError('disk_unsupported', 'The VDI has blocks of an unusual size. Convert it with qemu-img.');
  }
  if (blocks !== Math.ceil(virtualSizeBytes / BLOCK_BYTES) || allocated > blocks)
    throw malformed('The VDI’s blocks are not those of its size');
  if (
    map.offset % 512 !== 0 ||
    data % 512 !== 0 ||
    map.offset < HEADER_BYTES ||
    data < map.offset + map.length
  ) {
    throw malformed('The VDI’s tables overlap');
  }
  const found = countBlocks(source, map, data, allocated);
  return wholeFile({
    format: 'vdi',
    lengthBytes: source.sizeBytes,
    virtualSizeBytes,
    allocatedBytes: Math.min(virtualSizeBytes, found * BLOCK_BYTES),
  });
}

function refuseKinds(head: Buffer): void {
  const version = head.readUInt32LE(0x44);
  const type = head.readUInt32LE(0x4c);
  if (version !== VERSION_1_1)
    throw diskError('disk_unsupported', 'Only VDI of version 1.1 is taken. Convert the disk with qemu-img.');
  const linked = head.subarray(0x1a8, 0x1c8).some((byte) => byte !== 0);
  if (linked || (type !== DYNAMIC && type !== FIXED)) {
    throw diskError(
      'disk_refers_elsewhere',
      'The VDI stands on a parent disk (a snapshot), or is of an unknown type. Clone it in VirtualBox, which makes it whole.',
    );
  }
}

function countBlocks(
  source: ByteSource,
  map: { offset: number; length: number },
  data: number,
  allocated: number,
): number {
  if (!liesWithin(source.sizeBytes, map.offset, map.length))
    throw malformed('The map of the VDI ends behind the file’s end');
  const seen = new Uint8Array(allocated);
  let count = 0;
  inPieces(source, map.offset, map.length, (piece) => {
    for (let at = 0; at < piece.length; at += 4) {
      const block = piece.readUInt32LE(at);
      if (block >= FIRST_UNALLOCATED) continue;
      if (block >= allocated || seen[block] || data + block * BLOCK_BYTES >= source.sizeBytes) {
        throw malformed('The map of the VDI leads out of the file, or to one block twice');
      }
      seen[block] = 1;
      count += 1;
    }
  });
  return count;
}
