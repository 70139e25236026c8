import { open } from 'node:fs/promises';

/** Where the writer's records begin on the guest's disk, and how much room there is for them. */
export const AREA_START_BYTES = 256 * 1024 ** 2;
const AREA_BYTES = 512 * 1024 ** 2;

const BLOCK_BYTES = 4096;
const HEAD_BYTES = 32;
const HEADS = 127;
const CHECKSUM_AT = BLOCK_BYTES - 4;
const MARK = Buffer.from('record\0\0');
/** So far behind the last record nothing may have been written: the writer never has more than one under way. */
const SILENT_BLOCKS = 2048;

/**
 * A block of 4096 bytes: the head (mark, epoch, number, nanoseconds of the guest's clock, 8 bytes each, big-endian) 127
 * times, zeros, and the sum of all that in 32-bit words. `epoch` grows with each boot of the guest.
 */
export interface DiskRecord {
  readonly epoch: number;
  readonly number: number;
  readonly nanoseconds: bigint;
}

/** Undefined where the block was never written. @throws Error where it is no whole record */
export function readRecord(block: Buffer): DiskRecord | undefined {
  if (block.every((byte) => byte === 0)) return undefined;
  let sum = 0;
  for (let at = 0; at < CHECKSUM_AT; at += 4) sum = (sum + block.readUInt32BE(at)) >>> 0;
  if (sum !== block.readUInt32BE(CHECKSUM_AT)) throw new Error('a record with a wrong checksum');
  const head = block.subarray(0, HEAD_BYTES);
  if (!head.subarray(0, MARK.length).equals(MARK)) throw new Error('something that is no record');
  for (let index = 1; index < HEADS; index += 1) {
    if (!block.subarray(index * HEAD_BYTES, (index + 1) * HEAD_BYTES).equals(head))
      throw new Error('a torn record');
  }
  const [epoch, number] = [Number(head.readBigUInt64BE(8)), Number(head.readBigUInt64BE(16))];
  return { epoch, number, nanoseconds: head.readBigUInt64BE(24) };
}

/**
 * All records of a raw disk. @param epochs for each epoch, the number of its first record: what a later epoch wrote over
 * must not come back
 * @throws Error where they are not the beginning, without a gap, of what was written
 */
export async function readPrefix(
  rawPath: string,
  epochs: ReadonlyMap<number, number>,
): Promise<DiskRecord[]> {
  const file = await open(rawPath);
  try {
    const records: DiskRecord[] = [];
    let silent = 0;
    for (let index = 0; index < AREA_BYTES / BLOCK_BYTES && silent < SILENT_BLOCKS; index += 1) {
      const block = Buffer.alloc(BLOCK_BYTES);
      await file.read(block, 0, BLOCK_BYTES, AREA_START_BYTES + index * BLOCK_BYTES);
      const record = wholeRecord(block, index);
      if (!record) {
        silent += 1;
        continue;
      }
      if (silent > 0) throw new Error(`record ${record.number} is there, and ${silent} before it are not`);
      const expected = epochOf(index, epochs);
      if (record.number !== index || record.epoch !== expected) {
        throw new Error(
          `in place of record ${index} of epoch ${expected}: ${record.number} of ${record.epoch}`,
        );
      }
      records.push(record);
    }
    return records;
  } finally {
    await file.close();
  }
}

function wholeRecord(block: Buffer, index: number): DiskRecord | undefined {
  try {
    return readRecord(block);
  } catch (cause) {
    throw new Error(`in place of record ${index}: ${cause instanceof Error ? cause.message : cause}`, {
      cause,
    });
  }
}

/** The latest epoch that began at or before a record. */
function epochOf(number: number, epochs: ReadonlyMap<number, number>): number {
  const begun = [...epochs].filter(([, first]) => first <= number).map(([epoch]) => epoch);
  return Math.max(...begun);
}
