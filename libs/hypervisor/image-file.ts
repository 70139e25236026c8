import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { HypervisorError } from './hypervisor.errors.ts';
import type { ImageFile } from './port/images.ts';

/** Checksums by path, inode, size and time of change: one image goes to many hosts. */
const known = new Map<string, Promise<string>>();

/**
 * Reads the file once and compares its SHA-256 with the promised one; gives its size in bytes.
 * @throws image_missing (no such file), image_corrupt
 */
export async function verifyImageFile(image: ImageFile): Promise<number> {
  const facts = await stat(image.path).catch((cause: unknown) => {
    throw new HypervisorError(
      'image_missing',
      `There is no image file for ${image.volumeName}: cook it first.`,
      {
        cause,
      },
    );
  });
  const key = [image.path, facts.ino, facts.size, facts.mtimeMs].join('\0');
  let digest = known.get(key);
  if (!digest) {
    digest = sha256Of(image.path);
    known.set(key, digest);
    digest.catch(() => known.delete(key));
  }
  const found = await digest;
  if (found !== image.sha256) {
    const message = `The file of image ${image.volumeName} is not what its checksum promises: cook it again.`;
    throw new HypervisorError('image_corrupt', message, { details: { expected: image.sha256, found } });
  }
  return facts.size;
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1024 * 1024 }), hash);
  return hash.digest('hex');
}
