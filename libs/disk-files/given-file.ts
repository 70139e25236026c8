import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { diskError } from './disk-files.errors.ts';

/** A file that is opened once; everybody after it gets the descriptor. */
export interface GivenFile extends AsyncDisposable {
  readonly handle: FileHandle;
  readonly sizeBytes: number;
}

/**
 * Opens a regular file that has one name and is no link, and does not wait for a pipe's other end.
 * @throws DomainError `disk_path_unsafe`
 */
export async function openGiven(path: string): Promise<GivenFile> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY;
  const handle = await open(path, flags).catch((cause: NodeJS.ErrnoException) => {
    throw unsafe(cause.code === 'ELOOP' ? 'a symbolic link' : 'no file that can be opened', cause);
  });
  const facts = await handle.stat();
  const what = !facts.isFile() ? 'no regular file' : facts.nlink !== 1 ? 'a file with further names' : null;
  if (what) {
    await handle.close();
    throw unsafe(what);
  }
  return { handle, sizeBytes: facts.size, [Symbol.asyncDispose]: () => handle.close() };
}

/**
 * Lets the sandbox's user open the file anew, which QEMU does, while `work` runs. To everybody else it is closed
 * meanwhile, and afterwards it is as it was.
 */
export async function lentTo<T>(handle: FileHandle, user: number | null, work: () => Promise<T>): Promise<T> {
  if (user === null) return work();
  const { uid, gid, mode } = await handle.stat();
  await handle.chown(user, gid);
  try {
    await handle.chmod(0o600);
    return await work();
  } finally {
    await handle.chown(uid, gid);
    await handle.chmod(mode & 0o7777);
  }
}

function unsafe(what: string, cause?: unknown) {
  return diskError('disk_path_unsafe', `The upload is ${what}. Upload the disk as one plain file.`, {
    cause,
  });
}
