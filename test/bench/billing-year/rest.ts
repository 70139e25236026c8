import { sleep } from '#libs/kernel';
import type { YearWorld } from './world.ts';

const LOOK_MILLISECONDS = 60;
/** Longer than any outage that the plan asks for; looks, since the machine may sleep. */
const MOST_LOOKS = 2000;

/** Waits until no saga is under way and no event is left to be worked off. @throws Error naming what does not end */
export async function rest({ dataSource, payments, crew }: YearWorld): Promise<void> {
  for (let looks = 0; ; looks += 1) {
    await payments.emulator.idle();
    await dataSource.query(HASTEN);
    const [left] = await dataSource.query<{ sagas: number; events: number }[]>(LEFT);
    if (left?.sagas === 0 && left.events === 0) return;
    if (looks > MOST_LOOKS) throw new Error(`this does not end: ${await whatIsLeft(dataSource)}`);
    if (crew.accidents[0]) throw new Error(crew.accidents[0]);
    await sleep(LOOK_MILLISECONDS);
  }
}

/**
 * An event that failed is tried again at once, and one whose worker has died or is slow by another one. What a
 * worker holds is left to it: a statement over many rows that waits for one of them can be waited for itself.
 */
const HASTEN = `
  UPDATE stripe_events SET next_try_at = now() WHERE id IN (
    SELECT id FROM stripe_events
    WHERE processed_at IS NULL AND next_try_at > now()
      AND (error IS NOT NULL OR next_try_at < now() + interval '58 seconds')
    FOR UPDATE SKIP LOCKED)`;

const LEFT = `
  SELECT (SELECT count(*)::int FROM sagas WHERE finished_at IS NULL) AS sagas,
         (SELECT count(*)::int FROM stripe_events WHERE processed_at IS NULL) AS events`;

async function whatIsLeft(dataSource: YearWorld['dataSource']): Promise<string> {
  const left = await dataSource.query(
    `SELECT 'saga ' || name AS what, id::text, state || ' at ' || step AS state, error::text FROM sagas
     WHERE finished_at IS NULL
     UNION ALL SELECT type, subject_id, tries || ' tries', error FROM stripe_events WHERE processed_at IS NULL LIMIT 10`,
  );
  return JSON.stringify(left);
}
