import { z } from 'zod';
import type { Stripe } from '../stripe/types.ts';
import type { Fees } from './fees.ts';
import { expand, page, range, type ShapeOf, text } from './form.ts';
import { isWithin, listPage } from './paging.ts';
import { route } from './routes.ts';
import { stripeId, type World } from './world.ts';

/** So long what came in is pending, until it may be paid out. */
const PENDING_SECONDS = 2 * 86_400;

type Movement = Stripe.BalanceTransaction;

/** A movement of the balance: what it is for, and what it comes to before the fee. */
export interface NewMovement {
  readonly id?: string;
  readonly type: string;
  readonly category: string;
  /** Above zero comes in. */
  readonly amount: number;
  readonly fee?: number;
  readonly currency: string;
  readonly source: string;
  readonly description?: string | null;
}

/** Moves the balance. What comes in by payments is pending for two days, all else counts at once. */
export function moveBalance(world: World, moved: NewMovement): Movement {
  const now = world.now();
  const { amount, currency, fee = 0, source, type } = moved;
  const waits = type === 'charge' || type === 'payment';
  return world.store.put('balance_transaction', {
    id: moved.id ?? stripeId('txn'),
    object: 'balance_transaction',
    amount,
    available_on: now + (waits ? PENDING_SECONDS : 0),
    balance_type: 'payments',
    created: now,
    currency,
    description: moved.description ?? null,
    exchange_rate: null,
    fee,
    fee_details: fee === 0 ? [] : [feeDetail(fee, currency)],
    net: amount - fee,
    reporting_category: moved.category,
    source,
    status: waits ? 'pending' : 'available',
    type,
  });
}

function feeDetail(amount: number, currency: string): Movement['fee_details'][number] {
  return { amount, application: null, currency, description: 'Stripe processing fees', type: 'stripe_fee' };
}

/** What a payment costs. */
export function feeOf({ basisPoints, fixedMinor }: Fees, amount: number): number {
  return Math.floor((amount * basisPoints + 5000) / 10_000) + fixedMinor;
}

/** A payment has come in: the charge with its movement. */
export function charged(world: World, charge: Stripe.Charge): Stripe.Charge {
  const amount = charge.amount_captured;
  const isCard = charge.payment_method_details?.type === 'card';
  const { id } = moveBalance(world, {
    type: isCard ? 'charge' : 'payment',
    category: 'charge',
    amount,
    fee: feeOf(world.fees, amount),
    currency: charge.currency,
    source: charge.id,
    description: charge.description,
  });
  return { ...charge, balance_transaction: id };
}

/** As it is shown now: what was pending becomes available when its time has come. */
function shown(world: World, movement: Movement): Movement {
  return movement.available_on > world.now() ? movement : { ...movement, status: 'available' };
}

/** What is there now, by currency. */
export function balanceOf(world: World): Map<string, { available: number; pending: number }> {
  const sums = new Map<string, { available: number; pending: number }>();
  for (const movement of world.store.all('balance_transaction')) {
    const sum = sums.get(movement.currency) ?? { available: 0, pending: 0 };
    sum[movement.available_on > world.now() ? 'pending' : 'available'] += movement.net;
    sums.set(movement.currency, sum);
  }
  return sums;
}

function balance(world: World): Stripe.Balance {
  const sums = [...balanceOf(world)];
  const of = (part: 'available' | 'pending') =>
    sums.map(([currency, sum]) => ({ amount: sum[part], currency, source_types: { card: sum[part] } }));
  const [available, pending] = [of('available'), of('pending')];
  return { object: 'balance', available, connect_reserved: [], livemode: false, pending };
}

const listShape = z.strictObject({
  ...page,
  created: range.optional(),
  currency: text.optional(),
  source: text.optional(),
  type: text.optional(),
} satisfies ShapeOf<Stripe.BalanceTransactionListParams>);
const readShape = z.strictObject({ expand: expand.optional() });

export const balanceRoutes = [
  route('GET', '/v1/balance', readShape, balance),
  route('GET', '/v1/balance_transactions', listShape, (world, params) => {
    const found = listPage(
      world,
      'balance_transaction',
      '/v1/balance_transactions',
      params,
      (movement) =>
        (params.currency === undefined || movement.currency === params.currency) &&
        (params.source === undefined || movement.source === params.source) &&
        (params.type === undefined || movement.type === params.type) &&
        isWithin(movement.created, params.created),
    );
    return { ...found, data: found.data.map((movement) => shown(world, movement)) };
  }),
  route('GET', '/v1/balance_transactions/:id', readShape, (world, _params, { id }) =>
    shown(world, world.find('balance_transaction', id)),
  ),
];
