import { z } from 'zod';
import type { Stripe } from '../stripe/types.ts';
import { charged } from './balance.ts';
import { liveCustomer } from './customers.ts';
import type { Due } from './due.ts';
import { expand, flag, integer, metadata, page, range, type ShapeOf, text } from './form.ts';
import { cancelIntent, confirmIntent, LEAST_AMOUNT, ownCard, unexpectedState } from './intents.ts';
import { newPaymentIntent } from './objects.ts';
import { isWithin, listPage, mergeMetadata } from './paging.ts';
import { invalid } from './problem.ts';
import { route } from './routes.ts';
import type { World } from './world.ts';

const confirmFields = {
  payment_method: text.optional(),
  off_session: flag.optional(),
  return_url: z.url().max(5000).optional(),
  expand: expand.optional(),
};
const createShape = z.strictObject({
  amount: integer,
  currency: z.string().regex(/^[a-zA-Z]{3}$/, 'Invalid currency'),
  customer: text.optional(),
  description: text.optional(),
  metadata: metadata.optional(),
  capture_method: z.enum(['automatic', 'automatic_async', 'manual']).optional(),
  confirm: flag.optional(),
  setup_future_usage: z.enum(['on_session', 'off_session']).optional(),
  allowed_payment_method_types: z.array(z.literal('card')).optional(),
  automatic_payment_methods: z
    .strictObject({ enabled: flag, allow_redirects: z.enum(['always', 'never']).optional() })
    .optional(),
  ...confirmFields,
} satisfies ShapeOf<Stripe.PaymentIntentCreateParams>);
const confirmShape = z.strictObject(confirmFields satisfies ShapeOf<Stripe.PaymentIntentConfirmParams>);
const captureShape = z.strictObject({
  amount_to_capture: integer.optional(),
  metadata: metadata.optional(),
  expand: expand.optional(),
} satisfies ShapeOf<Stripe.PaymentIntentCaptureParams>);
const cancelShape = z.strictObject({
  cancellation_reason: z.enum(['duplicate', 'fraudulent', 'requested_by_customer', 'abandoned']).optional(),
  expand: expand.optional(),
} satisfies ShapeOf<Stripe.PaymentIntentCancelParams>);
const listShape = z.strictObject({
  ...page,
  customer: text.optional(),
  created: range.optional(),
} satisfies ShapeOf<Stripe.PaymentIntentListParams>);
const readShape = z.strictObject({ client_secret: text.optional(), expand: expand.optional() });

type Intent = Stripe.PaymentIntent;

const MOST_AMOUNT = 99_999_999;

/** @throws StripeProblem 400 for an amount or a customer that cannot be; 402 where it is confirmed and declined. */
export function createIntent(world: World, params: z.infer<typeof createShape>): Intent {
  if (params.amount < LEAST_AMOUNT) {
    const code = params.amount <= 0 ? 'parameter_invalid_integer' : 'amount_too_small';
    throw invalid(`Amount must be at least ${LEAST_AMOUNT} in the smallest unit.`, { code, param: 'amount' });
  }
  if (params.amount > MOST_AMOUNT) {
    throw invalid('Amount must be no more than 999,999.99.', { code: 'amount_too_large', param: 'amount' });
  }
  if (params.customer) liveCustomer(world, params.customer, 'customer');
  const method = params.payment_method ? ownCard(world, params.payment_method, params.customer) : undefined;
  const intent = newPaymentIntent(world, {
    amount: params.amount,
    currency: params.currency.toLowerCase(),
    customer: params.customer ?? null,
    description: params.description ?? null,
    metadata: mergeMetadata({}, params.metadata),
    capture_method: params.capture_method ?? 'automatic',
    setup_future_usage: params.setup_future_usage ?? null,
    payment_method: method?.id ?? null,
    status: method ? 'requires_confirmation' : 'requires_payment_method',
  });
  world.store.put('payment_intent', intent);
  world.emit('payment_intent.created', intent);
  const { payment_method: _, ...rest } = params;
  return params.confirm ? confirmIntent(world, intent, rest) : intent;
}

/** Takes all or part of what is held; the rest is let go. */
function capture(world: World, params: z.infer<typeof captureShape>, { id }: { id: string }): Intent {
  const intent = world.find('payment_intent', id, 'intent');
  if (intent.status !== 'requires_capture') throw unexpectedState(intent, 'captured');
  const amount = params.amount_to_capture ?? intent.amount_capturable;
  if (amount < 1 || amount > intent.amount_capturable) {
    throw invalid('The amount could not be captured: it is greater than what is held.', {
      code: amount < 1 ? 'parameter_invalid_integer' : 'amount_too_large',
      param: 'amount_to_capture',
    });
  }
  const held = world.find('charge', String(intent.latest_charge));
  const taken = world.store.put(
    'charge',
    charged(world, { ...held, captured: true, amount_captured: amount }),
  );
  const done = world.store.put('payment_intent', {
    ...intent,
    status: 'succeeded',
    amount_capturable: 0,
    amount_received: amount,
    metadata: mergeMetadata(intent.metadata, params.metadata),
  });
  world.emit('charge.captured', taken);
  world.emit('payment_intent.succeeded', done);
  return done;
}

/** Holds that their banks let go of. */
export function holdsDue(world: World): Due[] {
  return world.store.all('payment_intent').flatMap((intent) => {
    if (intent.status !== 'requires_capture') return [];
    const held = world.find('charge', String(intent.latest_charge));
    const at = held.payment_method_details?.card?.capture_before;
    return at === undefined ? [] : [{ at, customer: intent.customer, run: () => letGo(world, intent.id) }];
  });
}

function letGo(world: World, id: string): void {
  const intent = world.find('payment_intent', id);
  if (intent.status === 'requires_capture') cancelIntent(world, intent, 'automatic');
}

export const paymentIntentRoutes = [
  route('POST', '/v1/payment_intents', createShape, createIntent),
  route('GET', '/v1/payment_intents', listShape, (world, params) =>
    listPage(
      world,
      'payment_intent',
      '/v1/payment_intents',
      params,
      (intent) =>
        (params.customer === undefined || intent.customer === params.customer) &&
        isWithin(intent.created, params.created),
    ),
  ),
  route('GET', '/v1/payment_intents/:id', readShape, (world, _params, { id }) =>
    world.find('payment_intent', id, 'intent'),
  ),
  route('POST', '/v1/payment_intents/:id/confirm', confirmShape, (world, params, { id }) =>
    confirmIntent(world, world.find('payment_intent', id, 'intent'), params),
  ),
  route('POST', '/v1/payment_intents/:id/capture', captureShape, capture),
  route('POST', '/v1/payment_intents/:id/cancel', cancelShape, (world, params, { id }) =>
    cancelIntent(world, world.find('payment_intent', id, 'intent'), params.cancellation_reason ?? null),
  ),
];
