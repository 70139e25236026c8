import { HypervisorError } from '../hypervisor.errors.ts';
import type { CopyOptions } from '../port/disks.ts';
import type { HostRef } from '../port/hosts.ts';

const LOOK_EVERY_MS = 1000;
/** For the processes of such work, only so that none lives for ever: what hangs is found by its standing still. */
export const LONGEST_SECONDS = 7 * 24 * 3600;

export interface Watched extends CopyOptions {
  readonly host: HostRef;
  /** Begins the sentence of an error. */
  readonly what: string;
  /** How long the work may stand still. */
  readonly stallSeconds: number;
}

/**
 * Lets work of unknown length run for as long as it moves on: `look` tells how many bytes are done. Ends it by
 * the signal that it is given, when it has stood still for too long or the caller's own signal says so.
 * @throws HypervisorError `host_timeout`
 */
export async function watchProgress(
  watched: Watched,
  look: () => Promise<number>,
  totalBytes: number,
  work: (signal: AbortSignal) => Promise<unknown>,
): Promise<void> {
  const stop = new AbortController();
  const stopped = () => stop.abort();
  watched.signal?.addEventListener('abort', stopped, { once: true });
  if (watched.signal?.aborted) stop.abort();
  let seen = -1;
  let movedAt = performance.now();
  const watch = setInterval(async () => {
    const bytes = await look().catch(() => seen);
    if (bytes > seen) {
      seen = bytes;
      movedAt = performance.now();
      watched.onProgress?.(Math.min(bytes, totalBytes), totalBytes);
    } else if (performance.now() - movedAt > watched.stallSeconds * 1000) stop.abort();
  }, LOOK_EVERY_MS);
  try {
    await work(stop.signal);
  } catch (cause) {
    if (!stop.signal.aborted) throw cause;
    const why = watched.signal?.aborted ? 'was called off' : `stood still for ${watched.stallSeconds} s`;
    throw new HypervisorError('host_timeout', `${watched.what} on ${watched.host.name} ${why}.`, {
      cause,
      details: { host: watched.host.name },
    });
  } finally {
    clearInterval(watch);
    watched.signal?.removeEventListener('abort', stopped);
  }
}
