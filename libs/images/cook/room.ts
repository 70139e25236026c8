import { statfs } from 'node:fs/promises';
import { BYTES_PER_GIB, DomainError } from '#libs/kernel';
import { cookError } from './cook.errors.ts';

/** What most cooks take. One that wants all that its limits allow is stopped before it fills the disk. */
const NEEDED_BYTES = 4 * BYTES_PER_GIB;
const NEARLY_FULL_BYTES = 64 * 1024 ** 2;

/** @throws DomainError `cook_no_space` where `folder` has no room for a cook */
export async function assertRoom(folder: string): Promise<void> {
  const free = await freeBytes(folder);
  if (free < NEEDED_BYTES) throw noSpace(folder, free);
}

/** The cause of a cook's failure: a tool that found no space says so in words, the file system says it in numbers. */
export async function failureIn(folder: string, error: unknown): Promise<unknown> {
  const isKnown = error instanceof DomainError && error.code !== 'cook_step_failed';
  const free = await freeBytes(folder);
  return !isKnown && free < NEARLY_FULL_BYTES ? noSpace(folder, free, error) : error;
}

function noSpace(folder: string, free: number, cause?: unknown): DomainError {
  const inGib = (bytes: number) => (bytes / BYTES_PER_GIB).toFixed(1);
  return cookError(
    'cook_no_space',
    `${folder} has ${inGib(free)} GiB free and a cook needs ${inGib(NEEDED_BYTES)}. ` +
      'Make room, or choose another folder.',
    { cause, details: { freeBytes: free, neededBytes: NEEDED_BYTES } },
  );
}

async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}
