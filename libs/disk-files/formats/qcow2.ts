import { type ByteSource, exact, headOf, liesWithin } from '../byte-source.ts';
import { type DiskFacts, type DiskLimits, virtualSize, wholeFile } from '../disk-facts.ts';
import { diskError, malformed } from '../disk-files.errors.ts';
import { countClusters, type Qcow2Header } from './qcow2-tables.ts';

/** QEMU's docs/interop/qcow2.txt; bounds as QEMU itself has them (block/qcow2.h). */
const V2_HEADER_BYTES = 72;
const V3_HEADER_BYTES = 104;
const MAX_L1_BYTES = 32 * 1024 * 1024;
const MAX_REFCOUNT_TABLE_BYTES = 8 * 1024 * 1024;
const MAX_EXTENSIONS = 64;

const INCOMPATIBLE = { dirty: 1n, corrupt: 2n, dataFile: 4n, compressionType: 8n, extendedL2: 16n };
const EXTENSION = {
  backingFormat: 0xe2792aca,
  dataFile: 0x44415441,
  crypto: 0x0537be77,
  bitmaps: 0x23852875,
};

/** @throws DomainError `disk_*`: see ../disk-files.errors.ts */
export function parseQcow2(source: ByteSource, limits: DiskLimits): DiskFacts {
  if (source.sizeBytes < V2_HEADER_BYTES) throw malformed('The file is too short for a qcow2 header');
  const header = readHeader(source, limits);
  walkExtensions(source, header);
  return wholeFile({
    format: 'qcow2',
    lengthBytes: source.sizeBytes,
    virtualSizeBytes: header.virtualSizeBytes,
    allocatedBytes: countClusters(source, header) * header.clusterBytes,
  });
}

function readHeader(source: ByteSource, limits: DiskLimits): Qcow2Header {
  const bytes = headOf(source, 112);
  const version = bytes.readUInt32BE(4);
  if (version !== 2 && version !== 3) {
    throw diskError(
      'disk_unsupported',
      `This is qcow version ${version}. Convert it to qcow2 (2 or 3) first.`,
    );
  }
  refuseReferences(bytes);
  const features = version === 3 ? readFeatures(bytes) : { headerBytes: V2_HEADER_BYTES, extendedL2: false };
  const clusterBits = bytes.readUInt32BE(20);
  if (clusterBits < (features.extendedL2 ? 14 : 9) || clusterBits > 21) {
    throw malformed(`Clusters of 2^${clusterBits} bytes are absurd`);
  }
  const header: Qcow2Header = {
    version,
    ...features,
    clusterBytes: 2 ** clusterBits,
    virtualSizeBytes: virtualSize(bytes.readBigUInt64BE(24), limits),
    l1: {
      entries: bytes.readUInt32BE(36),
      offset: exact(bytes.readBigUInt64BE(40), 'The L1 table’s offset'),
    },
    refcounts: {
      offset: exact(bytes.readBigUInt64BE(48), 'The refcount table’s offset'),
      clusters: bytes.readUInt32BE(56),
    },
  };
  checkTables(source, header);
  return header;
}

/** The backing file, encryption and snapshots: what would lead away from the disk itself. */
function refuseReferences(bytes: Buffer): void {
  if (bytes.readBigUInt64BE(8) !== 0n || bytes.readUInt32BE(16) !== 0)
    throw refersElsewhere('a backing file');
  if (bytes.readUInt32BE(32) !== 0) throw encrypted();
  if (bytes.readUInt32BE(60) !== 0) {
    throw diskError(
      'disk_has_snapshots',
      'The disk has snapshots within. Run qemu-img convert -O qcow2 on it, which leaves them out.',
    );
  }
}

function readFeatures(bytes: Buffer): Pick<Qcow2Header, 'headerBytes' | 'extendedL2'> {
  if (bytes.length < V3_HEADER_BYTES) throw malformed('The file is too short for a qcow2 header');
  const features = bytes.readBigUInt64BE(72);
  const known = Object.values(INCOMPATIBLE).reduce((all, one) => all | one);
  if (features & INCOMPATIBLE.dataFile) throw refersElsewhere('an external data file');
  if (features & ~known)
    throw diskError(
      'disk_unsupported',
      'The disk uses features of qcow2 that are not known here. Convert it with qemu-img.',
    );
  if (features & (INCOMPATIBLE.dirty | INCOMPATIBLE.corrupt)) {
    throw diskError(
      'disk_needs_repair',
      'The disk was not closed cleanly, or is marked corrupt. Run qemu-img check -r all on it.',
    );
  }
  const order = bytes.readUInt32BE(96);
  if (order > 6) throw malformed(`Reference counts of 2^${order} bits are absurd`);
  const headerBytes = bytes.readUInt32BE(100);
  if (headerBytes < V3_HEADER_BYTES || headerBytes % 8 !== 0 || headerBytes > 4096) {
    throw malformed(`A header of ${headerBytes} bytes is absurd`);
  }
  const compression = headerBytes > V3_HEADER_BYTES ? (bytes[V3_HEADER_BYTES] ?? 0) : 0;
  if (compression > 1 || compression !== (features & INCOMPATIBLE.compressionType ? 1 : 0)) {
    throw diskError(
      'disk_unsupported',
      'The disk’s compression is neither zlib nor zstd. Convert it with qemu-img.',
    );
  }
  return { headerBytes, extendedL2: (features & INCOMPATIBLE.extendedL2) !== 0n };
}

function checkTables(source: ByteSource, header: Qcow2Header): void {
  const { clusterBytes, l1, refcounts, virtualSizeBytes } = header;
  const perL1Entry = clusterBytes * (clusterBytes / (header.extendedL2 ? 16 : 8));
  const l1Bytes = l1.entries * 8;
  const countBytes = refcounts.clusters * clusterBytes;
  if (header.headerBytes > clusterBytes) throw malformed('The header does not fit into its cluster');
  if (l1Bytes > MAX_L1_BYTES || l1.entries < Math.ceil(virtualSizeBytes / perL1Entry)) {
    throw malformed(`An L1 table of ${l1.entries} entries is absurd for this size`);
  }
  if (refcounts.clusters === 0 || countBytes > MAX_REFCOUNT_TABLE_BYTES) {
    throw malformed(`A refcount table of ${refcounts.clusters} clusters is absurd`);
  }
  const tables = [
    { name: 'L1 table', offset: l1.offset, length: l1Bytes },
    { name: 'refcount table', offset: refcounts.offset, length: countBytes },
  ];
  for (const { name, offset, length } of tables) {
    if (offset % clusterBytes !== 0 || offset < clusterBytes)
      throw malformed(`The ${name} lies across others`);
    if (!liesWithin(source.sizeBytes, offset, length))
      throw malformed(`The ${name} ends behind the file’s end`);
  }
  if (l1.offset < refcounts.offset + countBytes && refcounts.offset < l1.offset + l1Bytes) {
    throw malformed('The L1 table and the refcount table overlap');
  }
}

function walkExtensions(source: ByteSource, header: Qcow2Header): void {
  const end = Math.min(header.clusterBytes, source.sizeBytes);
  let at = header.headerBytes;
  for (let count = 0; at + 8 <= end; count++) {
    if (count === MAX_EXTENSIONS) throw malformed('The header has too many extensions');
    const head = source.read(at, 8);
    const type = head.readUInt32BE(0);
    const length = head.readUInt32BE(4);
    if (type === 0) return;
    refuseExtension(type);
    if (length > end - at - 8) throw malformed('An extension of the header is longer than the header');
    at += 8 + Math.ceil(length / 8) * 8;
  }
}

function refuseExtension(type: number): void {
  if (type === EXTENSION.backingFormat) throw refersElsewhere('a backing file');
  if (type === EXTENSION.dataFile) throw refersElsewhere('an external data file');
  if (type === EXTENSION.crypto) throw encrypted();
  if (type === EXTENSION.bitmaps) {
    throw diskError(
      'disk_has_snapshots',
      'The disk has bitmaps of backups within. Run qemu-img convert -O qcow2 on it, which leaves them out.',
    );
  }
}

function refersElsewhere(what: string) {
  return diskError(
    'disk_refers_elsewhere',
    `The disk needs ${what}. Run qemu-img convert -O qcow2 where that file is, and upload the result.`,
  );
}

function encrypted() {
  return diskError(
    'disk_encrypted',
    'The disk is encrypted. Decrypt it (qemu-img convert) and upload the result.',
  );
}
