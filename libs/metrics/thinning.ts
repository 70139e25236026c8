import type { EntityManager } from 'typeorm';
import { COUNTED, columnOf } from './counters.ts';

/** After so many hours samples are merged to so many seconds. */
const THINNED = [
  { afterHours: 24, toSeconds: 300 },
  { afterHours: 7 * 24, toSeconds: 3600 },
] as const;
const KEPT_DAYS = 30;

const COLUMNS = COUNTED.map(columnOf).join(', ');
const SUMS = COUNTED.map((counter) => `sum(${columnOf(counter)})`).join(', ');

/**
 * Merges what has become old, whole stretches only, and forgets what is older than 30 days. What was used, and in how long, is
 * summed, so that no mean changes by it.
 * @param now Unix time in seconds
 */
export async function thinSamples(manager: EntityManager, now: number): Promise<void> {
  await manager.query('DELETE FROM server_samples WHERE until < to_timestamp($1)', [
    now - KEPT_DAYS * 86_400,
  ]);
  for (const { afterHours, toSeconds } of THINNED) {
    const before = Math.floor((now - afterHours * 3600) / toSeconds) * toSeconds;
    await manager.query(
      `WITH old AS (
         DELETE FROM server_samples WHERE resolution_seconds < $2 AND until <= to_timestamp($1) RETURNING *
       )
       INSERT INTO server_samples (server_id, until, milliseconds, resolution_seconds, ${COLUMNS})
       SELECT server_id, max(until), sum(milliseconds), $2, ${SUMS}
       FROM old GROUP BY server_id, ceil(extract(epoch FROM until) / $2)`,
      [before, toSeconds],
    );
  }
}
