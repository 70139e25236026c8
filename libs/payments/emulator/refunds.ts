import { z } from 'zod';
import type { Stripe } from '../stripe/types.ts';
import { moveBalance } from './balance.ts';
import { isChargedBack } from './disputes.ts';
import type { Due } from './due.ts';
import { expand, integer, metadata, page, range, type ShapeOf, text } from './form.ts';
import { newRefund } from './objects.ts';
import { isWithin, listPage, mergeMetadata } from './paging.ts';
import { behaviourOfMethod } from './payment-methods.ts';
import { invalid } from './problem.ts';
import { route } from './routes.ts';
import type { World } from './world.ts';

const createShape = z.strictObject({
  payment_intent: text.optional(),
  charge: text.optional(),
  amount: integer.optional(),
  reason: z.enum(['duplicate', 'fraudulent', 'requested_by_customer']).optional(),
  metadata: metadata.optional(),
  expand: expand.optional(),
} satisfies ShapeOf<Stripe.RefundCreateParams>);
const listShape = z.strictObject({
  ...page,
  payment_intent: text.optional(),
  charge: text.optional(),
  created: range.optional(),
} satisfies ShapeOf<Stripe.RefundListParams>);
const chargesShape = z.strictObject({
  ...page,
  customer: text.optional(),
  payment_intent: text.optional(),
  created: range.optional(),
} satisfies ShapeOf<Stripe.ChargeListParams>);
/** So long after it was made the refund of a test card fails. */
const FAILS_SECONDS = 600;
const readShape = z.strictObject({ expand: expand.optional() });

function chargeOf(world: World, params: z.infer<typeof createShape>): Stripe.Charge {
  if (params.charge) return world.find('charge', params.charge, 'charge');
  if (!params.payment_intent) {
    throw invalid(
      'One of the following params should be provided for this request: payment_intent or charge.',
    );
  }
  const intent = world.find('payment_intent', params.payment_intent, 'payment_intent');
  if (intent.latest_charge === null) {
    throw invalid('This PaymentIntent does not have a successful charge to refund.', {
      param: 'payment_intent',
    });
  }
  return world.find('charge', String(intent.latest_charge));
}

function create(world: World, params: z.infer<typeof createShape>): Stripe.Refund {
  const charge = chargeOf(world, params);
  if (!charge.captured) throw invalid('This charge was not captured: cancel its PaymentIntent instead.');
  if (isChargedBack(world, charge)) {
    throw invalid(`Charge ${charge.id} has been charged back; cannot issue a refund.`, {
      code: 'charge_disputed',
    });
  }
  const left = charge.amount_captured - charge.amount_refunded;
  if (left <= 0)
    throw invalid(`Charge ${charge.id} has already been refunded.`, { code: 'charge_already_refunded' });
  const amount = params.amount ?? left;
  if (amount < 1 || amount > left) {
    throw invalid(`Refund amount (${amount}) is greater than unrefunded amount on charge (${left}).`, {
      code: amount < 1 ? 'parameter_invalid_integer' : 'amount_too_large',
      param: 'amount',
    });
  }
  const { reason = null } = params;
  const asked = newRefund(world, charge, { amount, reason, metadata: mergeMetadata({}, params.metadata) });
  const refund = world.store.put('refund', {
    ...asked,
    balance_transaction: moved(world, asked, 'refund', -amount).id,
  });
  const refunded = world.store.put('charge', {
    ...charge,
    amount_refunded: charge.amount_refunded + amount,
    refunded: amount === left,
  });
  world.emit('refund.created', refund);
  world.emit('charge.refunded', refunded);
  return refund;
}

function moved(world: World, refund: Stripe.Refund, type: 'refund' | 'refund_failure', amount: number) {
  const { currency, id: source } = refund;
  return moveBalance(world, { type, category: type, amount, currency, source });
}

/**
 * A card's bank sends a refund back, at once or weeks later: the money is in the balance again, and the charge may be
 * refunded anew. Source: docs.stripe.com/refunds#failed-refunds. @throws StripeProblem 400 for one that has failed.
 */
export function failRefund(world: World, id: string): Stripe.Refund {
  const refund = world.find('refund', id, 'refund');
  if (refund.status === 'failed') throw invalid(`Refund ${id} has failed already.`);
  const back = moved(world, refund, 'refund_failure', refund.amount);
  const failed = world.store.put('refund', {
    ...refund,
    status: 'failed',
    failure_balance_transaction: back.id,
    failure_reason: 'lost_or_stolen_card',
  });
  const charge = world.find('charge', String(refund.charge));
  const left = charge.amount_refunded - refund.amount;
  world.store.put('charge', { ...charge, amount_refunded: left, refunded: false });
  world.emit('refund.updated', failed);
  world.emit('charge.refund.updated', failed);
  world.emit('refund.failed', failed);
  return failed;
}

/** Refunds to cards whose banks send them back. */
export function refundsDue(world: World): Due[] {
  return world.store.all('refund').flatMap(({ id, status, charge, created }): Due[] => {
    if (status !== 'succeeded') return [];
    const { customer, payment_method, payment_method_details } = world.find('charge', String(charge));
    if (payment_method_details?.type !== 'card') return [];
    if (!behaviourOfMethod(world, String(payment_method)).failsRefunds) return [];
    return [{ at: created + FAILS_SECONDS, customer, run: () => void failRefund(world, id) }];
  });
}

export const refundRoutes = [
  route('POST', '/v1/refunds', createShape, create),
  route('GET', '/v1/refunds', listShape, (world, params) =>
    listPage(
      world,
      'refund',
      '/v1/refunds',
      params,
      (refund) =>
        (params.payment_intent === undefined || refund.payment_intent === params.payment_intent) &&
        (params.charge === undefined || refund.charge === params.charge) &&
        isWithin(refund.created, params.created),
    ),
  ),
  route('GET', '/v1/refunds/:id', readShape, (world, _params, { id }) => world.find('refund', id)),
  route('GET', '/v1/charges', chargesShape, (world, params) =>
    listPage(
      world,
      'charge',
      '/v1/charges',
      params,
      (charge) =>
        (params.customer === undefined || charge.customer === params.customer) &&
        (params.payment_intent === undefined || charge.payment_intent === params.payment_intent) &&
        isWithin(charge.created, params.created),
    ),
  ),
  route('GET', '/v1/charges/:id', readShape, (world, _params, { id }) => world.find('charge', id)),
];
