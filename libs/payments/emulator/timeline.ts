import { bankDebitsDue } from './bank-debits.ts';
import { sessionsDue } from './checkout.ts';
import { disputesDue } from './disputes.ts';
import type { Due } from './due.ts';
import { invoicesDue } from './invoice-collection.ts';
import { holdsDue } from './payment-intents.ts';
import { payoutsDue } from './payouts.ts';
import { refundsDue } from './refunds.ts';
import { finishClock } from './test-clocks.ts';
import { idOf, type Reference, type World } from './world.ts';

/** More rounds than any real stretch of time needs: a thing that stays due would otherwise go on for ever. */
const MOST_ROUNDS = 10_000;

function allDue(world: World): Due[] {
  return [
    ...holdsDue(world),
    ...sessionsDue(world),
    ...bankDebitsDue(world),
    ...invoicesDue(world),
    ...disputesDue(world),
    ...refundsDue(world),
    ...payoutsDue(world),
  ];
}

/** Which test clock a customer lives by; undefined for the emulator's own. */
function clockOf(world: World, customer: Reference): string | undefined {
  const owner = customer ? world.store.get('customer', idOf(customer)) : undefined;
  return owner?.test_clock ? idOf(owner.test_clock) : undefined;
}

/** Lets everything on one clock happen until `target`, each thing at its own moment, and moves the clock there. */
function play(world: World, clock: string | undefined, target: number, moveTo: (at: number) => void): void {
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const next = allDue(world)
      .filter(({ at, customer }) => at <= target && clockOf(world, customer) === clock)
      .sort((a, b) => a.at - b.at);
    if (next.length === 0) {
      moveTo(target);
      return;
    }
    for (const { at, run } of next) {
      moveTo(at);
      run();
    }
  }
  throw new Error('The emulator cannot move its clock: something stays due for ever.');
}

/** Moves the emulator's own clock; 0 lets happen what is due now. Customers on test clocks are left alone. */
export function advanceWorld(world: World, seconds: number): void {
  play(world, undefined, world.now() + seconds, (at) => world.moveTo(at));
  finishClocks(world);
}

/** Brings the test clocks that were told to advance to where they were told. */
export function finishClocks(world: World): void {
  for (const { id, status, status_details } of world.store.all('test_helpers.test_clock')) {
    const target = status_details?.advancing?.target_frozen_time;
    if (status !== 'advancing' || target === undefined) continue;
    play(world, id, target, (at) => {
      const now = world.find('test_helpers.test_clock', id);
      if (at > now.frozen_time) world.store.put('test_helpers.test_clock', { ...now, frozen_time: at });
    });
    finishClock(world, id);
  }
}
