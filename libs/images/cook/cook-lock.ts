import { spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { cookError, refuseCancelled } from './cook.errors.ts';

/**
 * Runs `work` while holding a lock file, waiting for whoever holds it. The kernel owns the lock (`flock` on a
 * child that ends with us), so a killed cook frees it.
 * @throws DomainError `cook_cancelled`
 */
export async function withLock<T>(path: string, signal: AbortSignal | undefined, work: () => Promise<T>) {
  await mkdir(dirname(path), { recursive: true });
  const release = await acquire(path, signal);
  try {
    return await work();
  } finally {
    release();
  }
}

/** `cat` echoes a line once `flock` has the lock, and ends when our side of the pipe closes. */
async function acquire(path: string, signal: AbortSignal | undefined): Promise<() => void> {
  refuseCancelled(signal);
  const holder = spawn('setpriv', ['--pdeathsig', 'KILL', '--', 'flock', path, 'cat'], { stdio: 'pipe' });
  return new Promise((resolve, reject) => {
    const cancel = () => {
      holder.kill('SIGKILL');
      reject(cookError('cook_cancelled', 'The cook was cancelled while it waited for another one.'));
    };
    signal?.addEventListener('abort', cancel, { once: true });
    holder.stdin.on('error', () => {});
    holder.on('error', reject);
    holder.on('close', (code) => reject(cookError('cook_step_failed', `flock ${path} ended with ${code}`)));
    holder.stdout.once('data', () => {
      signal?.removeEventListener('abort', cancel);
      resolve(() => holder.stdin.end());
    });
    holder.stdin.write('\n');
  });
}
