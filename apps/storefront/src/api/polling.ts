const FIRST_MS = 700;
const LAST_MS = 5_000;

/**
 * How long to wait before asking again about something that began at `startedAt` (ISO 8601): quick in the
 * first seconds, when most steps change, and never slower than five seconds.
 */
export function backOffMs(startedAt: string | undefined, nowMs: number): number {
  if (startedAt === undefined) return FIRST_MS;
  const elapsedMs = Math.max(0, nowMs - Date.parse(startedAt));
  return Math.min(LAST_MS, FIRST_MS + elapsedMs / 40);
}
