import { type ByteSource, exact, headOf, inPieces, isPowerOfTwo, liesWithin } from '../byte-source.ts';
import { type DiskFacts, type DiskLimits, virtualSize, wholeFile } from '../disk-facts.ts';
import { diskError, malformed } from '../disk-files.errors.ts';
import { checkDescriptor } from './vmdk-descriptor.ts';

/** VMware's "Virtual Disk Format 5.0"; bounds as QEMU has them (block/vmdk.c). */
const SECTOR_BYTES = 512;
const HEADER_BYTES = 512;
const GD_AT_END = 0xffff_ffff_ffff_ffffn;
const MAX_DESCRIPTOR_BYTES = 64 * 1024;
const MAX_DIRECTORY_BYTES = 32 * 1024 * 1024;
const MAX_GRAIN_SECTORS = 2048;
const PARENT_SEARCH_BYTES = 20 * 512;
const FOOTER_MARKER = 3;
const COMPRESSED = 1 << 16;

interface Extent {
  readonly virtualSizeBytes: number;
  readonly grainBytes: number;
  readonly entriesPerTable: number;
  readonly directory: { readonly offset: number; readonly entries: number };
}

/**
 * One file that is the whole disk: monolithicSparse or streamOptimized. Everything else names further files.
 * @throws DomainError `disk_*`: see ../disk-files.errors.ts
 */
export function parseVmdk(source: ByteSource, limits: DiskLimits): DiskFacts {
  const head = headOf(source, HEADER_BYTES);
  if (head.toString('latin1', 0, 4) !== 'KDMV') {
    throw diskError(
      'disk_refers_elsewhere',
      'This VMDK is a descriptor of further files, or one of ESX’s own. Run qemu-img convert -O vmdk -o subformat=streamOptimized on it, and upload the result.',
    );
  }
  if (head.length < HEADER_BYTES) throw malformed('The file is too short for a VMDK header');
  const capacity = head.readBigUInt64LE(12);
  // QEMU takes a capacity of 0 for a descriptor with extents of its own, anywhere on the host.
  if (capacity === 0n) {
    throw diskError(
      'disk_refers_elsewhere',
      'The header of the VMDK says that its data lies in other files. Convert it with qemu-img first.',
    );
  }
  const virtualSizeBytes = virtualSize(capacity * BigInt(SECTOR_BYTES), limits);
  checkDescriptor(readDescriptor(source, head));
  refuseParent(source);
  const extent = readExtent(directoryHeader(source, head), virtualSizeBytes);
  const tables = countTables(source, extent);
  return wholeFile({
    format: 'vmdk',
    lengthBytes: source.sizeBytes,
    virtualSizeBytes,
    allocatedBytes: Math.min(virtualSizeBytes, tables * extent.entriesPerTable * extent.grainBytes),
  });
}

function readDescriptor(source: ByteSource, head: Buffer): string {
  const offset = exact(head.readBigUInt64LE(28), 'The descriptor’s offset') * SECTOR_BYTES;
  const length = exact(head.readBigUInt64LE(36), 'The descriptor’s size') * SECTOR_BYTES;
  if (offset < HEADER_BYTES || length === 0 || length > MAX_DESCRIPTOR_BYTES) {
    throw malformed('The descriptor within the VMDK is not where one can be');
  }
  return source.read(offset, length).toString('latin1');
}

/**
 * QEMU looks for a parent's name anywhere in the first 10 KiB behind the header, also in the middle of a line, and wherever
 * the header says that the descriptor is.
 */
function refuseParent(source: ByteSource): void {
  const length = Math.min(PARENT_SEARCH_BYTES, source.sizeBytes - HEADER_BYTES);
  if (!source.read(HEADER_BYTES, length).includes('parentFileNameHint')) return;
  throw diskError(
    'disk_refers_elsewhere',
    'The VMDK names a parent disk (a snapshot). Consolidate it, and export it again.',
  );
}

/** Streams have the header that counts at their end: marker, footer, end of stream, a sector each. */
function directoryHeader(source: ByteSource, head: Buffer): Buffer {
  const inFooter = head.readBigUInt64LE(56) === GD_AT_END;
  if (!inFooter) return head;
  const tail = source.read(source.sizeBytes - 3 * SECTOR_BYTES, 3 * SECTOR_BYTES);
  const footer = tail.subarray(SECTOR_BYTES, 2 * SECTOR_BYTES);
  const marked =
    tail.readBigUInt64LE(0) === 1n && tail.readUInt32LE(8) === 0 && tail.readUInt32LE(12) === FOOTER_MARKER;
  const ended = tail.subarray(2 * SECTOR_BYTES).every((byte) => byte === 0);
  const same = footer.subarray(0, 56).equals(head.subarray(0, 56));
  if (!marked || !ended || !same)
    throw malformed('The VMDK has no footer like its header: its stream was cut');
  return footer;
}

function readExtent(header: Buffer, virtualSizeBytes: number): Extent {
  const version = header.readUInt32LE(4);
  const flags = header.readUInt32LE(8);
  const grain = exact(header.readBigUInt64LE(20), 'The grain');
  const entriesPerTable = header.readUInt32LE(44);
  const compression = header.readUInt16LE(77);
  if (version < 1 || version > 3)
    throw diskError(
      'disk_unsupported',
      `VMDK version ${version} is not taken. Convert the disk with qemu-img.`,
    );
  if (compression > 1 || (compression === 1) !== ((flags & COMPRESSED) !== 0))
    throw malformed('The VMDK’s compression is unknown');
  if (!isPowerOfTwo(grain) || grain < 8 || grain > MAX_GRAIN_SECTORS)
    throw malformed(`A grain of ${grain} sectors is absurd`);
  if (entriesPerTable !== 512) throw malformed(`Grain tables of ${entriesPerTable} entries are absurd`);
  const grainBytes = grain * SECTOR_BYTES;
  const offset = exact(header.readBigUInt64LE(56), 'The grain directory’s offset') * SECTOR_BYTES;
  const entries = Math.ceil(virtualSizeBytes / (grainBytes * entriesPerTable));
  return { virtualSizeBytes, grainBytes, entriesPerTable, directory: { offset, entries } };
}

/** How many grain tables there are. Each lies within the file, behind the header, and none is two. */
function countTables(source: ByteSource, { directory, entriesPerTable }: Extent): number {
  const length = directory.entries * 4;
  if (
    length > MAX_DIRECTORY_BYTES ||
    directory.offset < HEADER_BYTES ||
    !liesWithin(source.sizeBytes, directory.offset, length)
  ) {
    throw malformed('The grain directory of the VMDK is not within the file');
  }
  const found: number[] = [];
  inPieces(source, directory.offset, length, (piece) => {
    for (let at = 0; at < piece.length; at += 4) {
      const table = piece.readUInt32LE(at) * SECTOR_BYTES;
      if (table === 0) continue;
      if (!liesWithin(source.sizeBytes, table, entriesPerTable * 4))
        throw malformed('A grain table leads out of the file');
      found.push(table);
    }
  });
  const tables = Float64Array.from(found).sort();
  if (tables.some((table, index) => table === tables[index - 1]))
    throw malformed('Two entries of the grain directory share one table');
  return tables.length;
}
