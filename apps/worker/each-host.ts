import type { Host } from '#libs/placement';

const HOSTS_AT_ONCE = 4;

/**
 * Does something for each host, or as far as it comes until told to stop. Several at once: one that is slow to answer holds
 * none of the others up.
 * @throws what the first failed with, when the others have ended
 */
export async function eachHost(
  hosts: readonly Host[],
  stop: AbortSignal | undefined,
  work: (host: Host) => Promise<void>,
): Promise<void> {
  const waiting = hosts.values();
  const lane = async () => {
    for (const host of waiting) {
      if (stop?.aborted) return;
      await work(host);
    }
  };
  const ended = await Promise.allSettled(Array.from({ length: HOSTS_AT_ONCE }, lane));
  for (const lane of ended) if (lane.status === 'rejected') throw lane.reason;
}
