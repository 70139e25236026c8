import type { World } from './world.ts';

const DAY_SECONDS = 86_400;
/** Stripe keeps events for 30 days. */
export const EVENTS_KEPT_SECONDS = 30 * DAY_SECONDS;
/** Stripe forgets an idempotency key after a day at the earliest. */
export const KEYS_KEPT_SECONDS = DAY_SECONDS;

/** Forgets what Stripe would have forgotten, the oldest first. */
export function forgetOld(world: World): void {
  for (const event of world.store.all('event')) {
    if (event.created > world.now() - EVENTS_KEPT_SECONDS) break;
    world.store.drop('event', event.id);
    world.store.drop('delivery', event.id);
  }
  for (const answer of world.store.all('answer')) {
    if (answer.savedAt > world.now() - KEYS_KEPT_SECONDS) break;
    world.store.drop('answer', answer.id);
  }
}
