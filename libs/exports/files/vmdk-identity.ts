import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { exportFileError } from './export-file.errors.ts';

const SECTOR_BYTES = 512;
/** Offsets in the header of a sparse extent (VMware's Virtual Disk Format 1.1, "SparseExtentHeader"). */
const MAGIC = 'KDMV';
const DESCRIPTOR_OFFSET = 28;
const DESCRIPTOR_SIZE = 36;
/** Without its leading zeros. */
const CONTENT_ID = /^CID=[0-9a-f]{1,8}$/m;

/**
 * qemu-img gives each VMDK a random content id. This one follows from `identity`, so that the same disk makes
 * the same file.
 */
export async function setContentId(path: string, identity: string): Promise<void> {
  const file = await open(path, 'r+');
  try {
    const header = Buffer.alloc(SECTOR_BYTES);
    await file.read(header, 0, SECTOR_BYTES, 0);
    const offset = Number(header.readBigUInt64LE(DESCRIPTOR_OFFSET)) * SECTOR_BYTES;
    const size = Number(header.readBigUInt64LE(DESCRIPTOR_SIZE)) * SECTOR_BYTES;
    const descriptor = Buffer.alloc(Math.min(size, 64 * 1024));
    await file.read(descriptor, 0, descriptor.length, offset);
    const [text = ''] = descriptor.toString('latin1').split('\0', 1);
    const renamed = text.replace(CONTENT_ID, `CID=${contentId(identity)}`);
    const isKnown = header.toString('latin1', 0, MAGIC.length) === MAGIC && CONTENT_ID.test(text);
    if (!isKnown || renamed.length > descriptor.length) {
      throw exportFileError('export_tool_failed', 'qemu-img wrote a VMDK of a kind that is not known here.');
    }
    descriptor.fill(0).write(renamed, 'latin1');
    await file.write(descriptor, 0, descriptor.length, offset);
  } finally {
    await file.close();
  }
}

/** Never one of the two ids that mean "none". */
function contentId(identity: string): string {
  const digest = createHash('sha256').update(identity).digest('hex').slice(0, 8);
  return digest.startsWith('fffffff') ? `0${digest.slice(1)}` : digest;
}
