import { type ByteSource, inPieces, liesWithin } from '../byte-source.ts';
import { malformed } from '../disk-files.errors.ts';

export interface Qcow2Header {
  readonly version: number;
  readonly clusterBytes: number;
  readonly virtualSizeBytes: number;
  readonly headerBytes: number;
  readonly extendedL2: boolean;
  readonly l1: { readonly offset: number; readonly entries: number };
  readonly refcounts: { readonly offset: number; readonly clusters: number };
}

const OFFSET_MASK = 0x00ff_ffff_ffff_fe00n;
const COMPRESSED = 1n << 62n;
const ZERO = 1n;
const ENTRY_BYTES = 8;

/**
 * Walks both levels of tables and counts the clusters that hold data.
 * @throws DomainError `disk_malformed` where an entry leads out of the file, or two tables are one
 */
export function countClusters(source: ByteSource, header: Qcow2Header): number {
  const tables = secondLevel(source, header);
  const last = lastOffsetOf(source);
  let clusters = 0;
  for (const offset of tables) {
    inPieces(source, offset, header.clusterBytes, (piece) => {
      clusters += countEntries(piece, header, last);
    });
  }
  return clusters;
}

/** The offsets of the L2 tables, in order; each is a cluster of its own, apart from the tables above it. */
function secondLevel(source: ByteSource, header: Qcow2Header): Float64Array {
  const found: number[] = [];
  inPieces(source, header.l1.offset, header.l1.entries * ENTRY_BYTES, (piece) => {
    for (let at = 0; at < piece.length; at += ENTRY_BYTES) {
      const offset = Number(piece.readBigUInt64BE(at) & OFFSET_MASK);
      if (offset !== 0) found.push(checkedTable(source, header, offset));
    }
  });
  const tables = Float64Array.from(found).sort();
  if (tables.some((offset, index) => offset === tables[index - 1])) {
    throw malformed('Two entries of the L1 table share one table');
  }
  return tables;
}

function checkedTable(source: ByteSource, header: Qcow2Header, offset: number): number {
  const { clusterBytes, l1, refcounts } = header;
  if (offset % clusterBytes !== 0 || !liesWithin(source.sizeBytes, offset, clusterBytes)) {
    throw malformed('An entry of the L1 table leads out of the file');
  }
  const above = [
    { from: 0, to: clusterBytes },
    { from: l1.offset, to: l1.offset + l1.entries * ENTRY_BYTES },
    { from: refcounts.offset, to: refcounts.offset + refcounts.clusters * clusterBytes },
  ];
  if (above.some(({ from, to }) => offset < to && from < offset + clusterBytes)) {
    throw malformed('An L2 table overlaps the tables above it');
  }
  return offset;
}

/** The last offset at which something may begin. */
const lastOffsetOf = (source: ByteSource): bigint => BigInt(source.sizeBytes - 1);

function countEntries(piece: Buffer, header: Qcow2Header, last: bigint): number {
  const step = header.extendedL2 ? 2 * ENTRY_BYTES : ENTRY_BYTES;
  const compressedMask = (1n << (62n - BigInt(Math.log2(header.clusterBytes) - 8))) - 1n;
  const clusterMask = BigInt(header.clusterBytes - 1);
  let clusters = 0;
  for (let at = 0; at < piece.length; at += step) {
    if (piece.readInt32LE(at) === 0 && piece.readInt32LE(at + 4) === 0) continue;
    const entry = piece.readBigUInt64BE(at);
    const compressed = (entry & COMPRESSED) !== 0n;
    const offset = entry & (compressed ? compressedMask : OFFSET_MASK);
    if (offset > last || (!compressed && (offset & clusterMask) !== 0n)) {
      throw malformed('An entry of an L2 table leads out of the file');
    }
    if (compressed || (offset !== 0n && (header.version < 3 || (entry & ZERO) === 0n))) clusters += 1;
  }
  return clusters;
}
