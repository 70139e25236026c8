import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:net';
import { CliError } from '../cli.errors.ts';

/**
 * Runs `work` while no other `up` or `down` works on the same data folder. The lock is an abstract UNIX socket:
 * the kernel drops it with its process, so a kill leaves no stale lock.
 *
 * @throws CliError `already_running`
 */
export async function withLock<T>(folder: string, work: () => Promise<T>): Promise<T> {
  const lock = await take(folder);
  try {
    return await work();
  } finally {
    lock.close();
  }
}

function take(folder: string): Promise<Server> {
  const name = createHash('sha256').update(folder).digest('hex').slice(0, 16);
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EADDRINUSE') return reject(error);
      const message = `Another "up" or "down" works on ${folder}. Wait for it, or stop it, and run this again.`;
      reject(new CliError('already_running', message));
    });
    server.listen(`\0servery-up-${name}`, () => resolve(server));
  });
}
