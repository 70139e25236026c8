import { createServer, type Server } from 'node:net';
import { LabError } from './lab.errors.ts';
import type { LabLayout } from './layout.ts';

/**
 * Runs `work` while no other process works on the same lab. The lock is an abstract UNIX socket: the kernel
 * drops it with its process, so a kill leaves no stale lock.
 * @throws LabError `lab_busy` when another process holds it for `timeoutSeconds`
 */
export async function withLabLock<T>(
  lab: LabLayout,
  work: () => Promise<T>,
  timeoutSeconds = 180,
): Promise<T> {
  const deadline = Date.now() + timeoutSeconds * 1000;
  let lock = await tryLock(lab);
  while (!lock) {
    if (Date.now() > deadline) {
      throw new LabError(
        'lab_busy',
        `Another command works on the lab in ${lab.folder} since ${timeoutSeconds} s. Wait for it or end it.`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
    lock = await tryLock(lab);
  }
  try {
    return await work();
  } finally {
    lock.close();
  }
}

function tryLock(lab: LabLayout): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error),
    );
    server.listen(`\0servery-lab-${lab.hash}`, () => resolve(server));
  });
}
