import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:net';
import { LabError } from './lab.errors.ts';
import type { LabLayout } from './layout.ts';

/**
 * Runs `work` while no other process holds the lock `name`. The lock is an abstract UNIX socket: the kernel
 * drops it with its process, so a kill leaves no stale lock.
 * @throws LabError `lab_busy` when another process holds it for `timeoutSeconds`
 */
export async function withLock<T>(name: string, work: () => Promise<T>, timeoutSeconds = 180): Promise<T> {
  const deadline = Date.now() + timeoutSeconds * 1000;
  let lock = await tryLock(name);
  while (!lock) {
    if (Date.now() > deadline) {
      throw new LabError(
        'lab_busy',
        `Another command has been at work on ${name} for ${timeoutSeconds} s. Wait for it or end it.`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
    lock = await tryLock(name);
  }
  try {
    return await work();
  } finally {
    lock.close();
  }
}

/** Runs `work` while no other process works on the same lab. */
export const withLabLock = <T>(lab: LabLayout, work: () => Promise<T>) => withLock(lab.folder, work);

function tryLock(name: string): Promise<Server | undefined> {
  const address = `\0servery-${createHash('sha256').update(name).digest('hex').slice(0, 32)}`;
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error),
    );
    server.listen(address, () => resolve(server));
  });
}
