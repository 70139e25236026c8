import { type ByteSource, exact, liesWithin } from '../byte-source.ts';
import { malformed } from '../disk-files.errors.ts';

const MAGIC = 0x5146_49fb;
const OFFSET_MASK = 0x00ff_ffff_ffff_fe00n;
const COMPRESSED = 1n << 62n;
const ZERO = 1n;
const ENTRY_BYTES = 8;

/**
 * What a guest sees of a qcow2 file that we wrote: no compression, no layers, plain tables.
 * @throws DomainError `disk_malformed` where it is not such a file
 */
export function qcow2Disk(file: ByteSource): ByteSource {
  const header = file.read(0, 104);
  if (header.readUInt32BE(0) !== MAGIC || header.readBigUInt64BE(8) !== 0n) {
    throw malformed('This is not a qcow2 file that stands alone');
  }
  const clusterBytes = 2 ** Math.min(21, Math.max(9, header.readUInt32BE(20)));
  const sizeBytes = exact(header.readBigUInt64BE(24), 'The size');
  const l1 = exact(header.readBigUInt64BE(40), 'The L1 table');
  const perTable = clusterBytes / ENTRY_BYTES;

  const entry = (table: number, index: number) =>
    file.read(table + index * ENTRY_BYTES, ENTRY_BYTES).readBigUInt64BE();

  /** Where a cluster lies; undefined where it reads as zeros. */
  function placeOf(cluster: number): number | undefined {
    const table = Number(entry(l1, Math.floor(cluster / perTable)) & OFFSET_MASK);
    if (table === 0) return undefined;
    const found = entry(table, cluster % perTable);
    if ((found & COMPRESSED) !== 0n) throw malformed('A cluster is compressed');
    const place = Number(found & OFFSET_MASK);
    return place === 0 || (found & ZERO) !== 0n ? undefined : place;
  }

  return {
    sizeBytes,
    read(offset, length) {
      if (!liesWithin(sizeBytes, offset, length)) throw malformed('A read goes beyond the disk');
      const bytes = Buffer.alloc(length);
      for (let done = 0; done < length; ) {
        const at = offset + done;
        const within = at % clusterBytes;
        const count = Math.min(length - done, clusterBytes - within);
        const place = placeOf(Math.floor(at / clusterBytes));
        if (place !== undefined) {
          const here = Math.max(0, Math.min(count, file.sizeBytes - place - within));
          file.read(place + within, here).copy(bytes, done);
        }
        done += count;
      }
      return bytes;
    },
  };
}
