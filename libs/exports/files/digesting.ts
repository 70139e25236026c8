import { createHash, type Hash } from 'node:crypto';
import { createReadStream, type PathLike } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { Transform } from 'node:stream';
import { exportFileError, noSpace } from './export-file.errors.ts';

/** Large enough that reading, hashing and writing are what takes the time. */
export const CHUNK_BYTES = 1024 * 1024;

/** Size and checksum of a file. */
export interface Digested {
  readonly sizeBytes: number;
  readonly sha256: string;
}

/** Passes bytes on, and keeps their number and SHA-256. */
export class DigestingStream extends Transform {
  private readonly hash: Hash = createHash('sha256');
  private bytes = 0;

  constructor() {
    super({ highWaterMark: CHUNK_BYTES });
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: (error: null, chunk: Buffer) => void) {
    this.hash.update(chunk);
    this.bytes += chunk.length;
    done(null, chunk);
  }

  /** To be asked once, when the last byte has passed. */
  digested(): Digested {
    return { sizeBytes: this.bytes, sha256: this.hash.digest('hex') };
  }
}

/** Reads a file once. `onBytes` is told how far it is. */
export async function digestFile(
  path: PathLike,
  signal: AbortSignal | undefined,
  onBytes?: (bytes: number) => void,
): Promise<Digested> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  const source = createReadStream(path, { highWaterMark: CHUNK_BYTES, ...(signal && { signal }) });
  try {
    for await (const chunk of source as AsyncIterable<Buffer>) {
      hash.update(chunk);
      sizeBytes += chunk.length;
      onBytes?.(sizeBytes);
    }
  } catch (error) {
    throw readable(error);
  }
  return { sizeBytes, sha256: hash.digest('hex') };
}

/** Makes sure that the bytes of a file, or the names in a folder, outlast a power cut. */
export async function settle(path: string): Promise<void> {
  const handle: FileHandle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Node's own errors of a full disk and a given signal, in our words. */
export function readable(error: unknown): unknown {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  if (code === 'ENOSPC' || code === 'EDQUOT') return noSpace(error);
  if (code === 'ABORT_ERR') return exportFileError('export_cancelled', 'The export was cancelled.');
  return error;
}
