import { spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { cookError, refuseCancelled } from './cook.errors.ts';

/** `flock` ends with it where another one holds the lock. */
const HELD = 75;
const UNLESS_HELD = ['--nonblock', '--conflict-exit-code', `${HELD}`];

export interface LockOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called once where another one holds the lock. */
  readonly onWait?: () => void;
}

/**
 * Runs `work` while holding a lock file, waiting for whoever holds it. The kernel owns the lock (`flock` on a
 * child that ends with us), so a killed cook frees it.
 * @throws DomainError `cook_cancelled`
 */
export async function withLock<T>(
  path: string,
  { signal, onWait }: LockOptions,
  work: () => Promise<T>,
): Promise<T> {
  await mkdir(dirname(path), { recursive: true });
  let release = await acquire(path, signal, UNLESS_HELD);
  if (!release) {
    onWait?.();
    release = await acquire(path, signal, []);
  }
  try {
    return await work();
  } finally {
    release?.();
  }
}

/**
 * `cat` echoes a line once `flock` has the lock, and ends when our side of the pipe closes.
 * @returns what frees it; undefined where another one holds it and `flags` say not to wait
 */
async function acquire(
  path: string,
  signal: AbortSignal | undefined,
  flags: readonly string[],
): Promise<(() => void) | undefined> {
  refuseCancelled(signal);
  const argv = ['--pdeathsig', 'KILL', '--', 'flock', ...flags, path, 'cat'];
  const holder = spawn('setpriv', argv, { stdio: 'pipe' });
  return new Promise((resolve, reject) => {
    const cancel = () => {
      holder.kill('SIGKILL');
      reject(cookError('cook_cancelled', 'The cook was cancelled while it waited for another one.'));
    };
    signal?.addEventListener('abort', cancel, { once: true });
    holder.stdin.on('error', () => {});
    holder.on('error', reject);
    holder.on('close', (code) => {
      signal?.removeEventListener('abort', cancel);
      if (code === HELD) resolve(undefined);
      else reject(cookError('cook_step_failed', `flock ${path} ended with ${code}`));
    });
    holder.stdout.once('data', () => {
      signal?.removeEventListener('abort', cancel);
      resolve(() => holder.stdin.end());
    });
    holder.stdin.write('\n');
  });
}
