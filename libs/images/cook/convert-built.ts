import { chmod } from 'node:fs/promises';
import { convertDisk } from '#libs/disk-files';
import { BYTES_PER_GIB, DomainError } from '#libs/kernel';
import { type CookErrorCode, cookError } from './cook.errors.ts';

export interface ConvertBuilt {
  /** The raw disk. */
  readonly path: string;
  readonly to: string;
  readonly diskGib: number;
  readonly signal?: AbortSignal | undefined;
  readonly onPercent: (percent: number) => void;
}

const WALL_SECONDS = 1800;

/** Those that are no fault of the disk. */
const codes: Readonly<Record<string, CookErrorCode>> = {
  disk_no_space: 'cook_no_space',
  disk_sandbox_unavailable: 'cook_wall_unavailable',
  disk_work_cancelled: 'cook_cancelled',
};

/**
 * Foreign code has written the raw disk, so it is read as an uploaded one is: what guests will stand on is a file that
 * nobody wrote but us.
 * @throws DomainError with a CookErrorCode
 */
export async function convertBuilt({ path, to, diskGib, signal, onPercent }: ConvertBuilt): Promise<void> {
  const limits = { virtualSizeBytes: diskGib * BYTES_PER_GIB };
  try {
    await convertDisk({
      path,
      format: 'raw',
      to,
      limits,
      wallSeconds: WALL_SECONDS,
      signal,
      onProgress: onPercent,
    });
    // Whoever reads the papers beside it may read it.
    await chmod(to, 0o644);
  } catch (cause) {
    if (!(cause instanceof DomainError)) throw cause;
    const { code, details } = cause;
    const known = codes[code];
    if (known) throw cookError(known, cause.message, { cause, details });
    const message = `The built disk could not be written as disk.qcow2 (${code}): ${details.said ?? cause.message}`;
    throw cookError('cook_step_failed', message, { cause, details });
  }
}
