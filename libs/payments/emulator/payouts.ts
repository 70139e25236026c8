import { z } from 'zod';
import type { Stripe } from '../stripe/types.ts';
import { balanceOf, moveBalance } from './balance.ts';
import type { Due } from './due.ts';
import { expand, page, range, type ShapeOf, text } from './form.ts';
import { isWithin, listPage } from './paging.ts';
import { invalid } from './problem.ts';
import { route } from './routes.ts';
import { stripeId, type World } from './world.ts';

type Payout = Stripe.Payout;

/** So long a payout is on its way to the bank. */
const ARRIVES_SECONDS = 2 * 86_400;

/** Sends all that is available to the bank account. @returns a payout for each currency that has something */
export function payOut(world: World): Payout[] {
  return [...balanceOf(world)].flatMap(([currency, { available }]) =>
    available > 0 ? [sendOut(world, currency, available)] : [],
  );
}

function sendOut(world: World, currency: string, amount: number): Payout {
  const now = world.now();
  const id = stripeId('po');
  const { id: movementId } = moveBalance(world, {
    type: 'payout',
    category: 'payout',
    amount: -amount,
    currency,
    source: id,
    description: 'STRIPE PAYOUT',
  });
  const payout = world.store.put('payout', {
    id,
    object: 'payout',
    amount,
    application_fee: null,
    application_fee_amount: null,
    arrival_date: now + ARRIVES_SECONDS,
    automatic: true,
    balance_transaction: movementId,
    created: now,
    currency,
    description: 'STRIPE PAYOUT',
    destination: 'ba_emulator',
    failure_balance_transaction: null,
    failure_code: null,
    failure_message: null,
    livemode: false,
    metadata: {},
    method: 'standard',
    original_payout: null,
    payout_method: null,
    reconciliation_status: 'in_progress',
    reversed_by: null,
    source_type: 'card',
    statement_descriptor: null,
    status: 'in_transit',
    trace_id: { status: 'pending', value: null },
    type: 'bank_account',
  });
  world.emit('payout.created', payout);
  return payout;
}

/** The bank sends a payout back, on its way or after it came: the money is in the balance again. @throws StripeProblem */
export function failPayout(world: World, id: string): Payout {
  const payout = world.find('payout', id, 'payout');
  if (payout.status === 'failed') throw invalid(`Payout ${id} has failed already.`);
  const back = moveBalance(world, {
    type: 'payout_failure',
    category: 'payout_reversal',
    amount: payout.amount,
    currency: payout.currency,
    source: id,
    description: 'STRIPE PAYOUT FAILURE',
  });
  const failed = world.store.put('payout', {
    ...payout,
    status: 'failed',
    failure_balance_transaction: back.id,
    failure_code: 'account_closed',
    failure_message: 'The bank account has been closed.',
  });
  world.emit('payout.failed', failed);
  return failed;
}

/** Payouts that arrive, and those that the schedule makes. */
export function payoutsDue(world: World): Due[] {
  const arriving = world.store
    .all('payout')
    .filter(({ status }) => status === 'in_transit')
    .map(({ id, arrival_date }): Due => ({ at: arrival_date, customer: null, run: () => arrive(world, id) }));
  return [...arriving, ...scheduled(world)];
}

function arrive(world: World, id: string): void {
  const payout = world.find('payout', id);
  if (payout.status !== 'in_transit') return;
  const paid = { ...payout, status: 'paid', reconciliation_status: 'completed' } as const;
  world.emit('payout.paid', world.store.put('payout', paid));
}

/** Every so many days, counted from the first movement of the balance. */
function scheduled(world: World): Due[] {
  const every = world.payoutEveryDays * 86_400;
  if (every === 0) return [];
  const [first] = world.store.all('balance_transaction');
  if (!first) return [];
  const lastAt = world.store.get('payout_schedule', 'schedule')?.lastAt ?? first.created;
  const at = lastAt + every;
  const run = () => {
    world.store.put('payout_schedule', { id: 'schedule', lastAt: at });
    payOut(world);
  };
  return [{ at, customer: null, run }];
}

const listShape = z.strictObject({
  ...page,
  arrival_date: range.optional(),
  created: range.optional(),
  destination: text.optional(),
  status: text.optional(),
} satisfies ShapeOf<Stripe.PayoutListParams>);
const readShape = z.strictObject({ expand: expand.optional() });

export const payoutRoutes = [
  route('GET', '/v1/payouts', listShape, (world, params) =>
    listPage(
      world,
      'payout',
      '/v1/payouts',
      params,
      (payout) =>
        (params.status === undefined || payout.status === params.status) &&
        (params.destination === undefined || payout.destination === params.destination) &&
        isWithin(payout.arrival_date, params.arrival_date) &&
        isWithin(payout.created, params.created),
    ),
  ),
  route('GET', '/v1/payouts/:id', readShape, (world, _params, { id }) => world.find('payout', id, 'payout')),
];
