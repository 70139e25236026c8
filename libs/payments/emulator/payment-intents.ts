import { z } from 'zod';
import type { Stripe } from '../stripe/types.ts';
import type { Decline } from './cards.ts';
import { liveCustomer } from './customers.ts';
import { expand, flag, integer, metadata, page, range, type ShapeOf, text } from './form.ts';
import { newCharge, newPaymentIntent } from './objects.ts';
import { isWithin, listPage, mergeMetadata } from './paging.ts';
import { behaviourOfMethod, cardProblem, paymentMethodOf } from './payment-methods.ts';
import { invalid, StripeProblem } from './problem.ts';
import { route } from './routes.ts';
import type { World } from './world.ts';

/** Stripe's smallest charge in euro and dollar. */
const LEAST_AMOUNT = 50;
const MOST_AMOUNT = 99_999_999;

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
type ConfirmParams = z.infer<typeof confirmShape>;

function unexpectedState(intent: Intent, doing: string): StripeProblem {
  return new StripeProblem(400, {
    type: 'invalid_request_error',
    code: 'payment_intent_unexpected_state',
    message: `This PaymentIntent could not be ${doing} because it has a status of ${intent.status}.`,
    payment_intent: intent,
  });
}

function create(world: World, params: z.infer<typeof createShape>): Intent {
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
    payment_method: method?.id ?? null,
    status: method ? 'requires_confirmation' : 'requires_payment_method',
  });
  world.store.put('payment_intent', intent);
  world.emit('payment_intent.created', intent);
  const { payment_method: _, ...rest } = params;
  return params.confirm ? confirm(world, intent, rest) : intent;
}

/** @throws StripeProblem 400 where the card belongs to another customer or was detached. */
function ownCard(world: World, id: string, customerId: string | undefined): Stripe.PaymentMethod {
  const method = paymentMethodOf(world, id);
  if (method.customer !== null && method.customer !== customerId) {
    throw invalid(`The PaymentMethod ${id} does not belong to the Customer you supplied.`, {
      param: 'payment_method',
    });
  }
  return method;
}

/** Asks the bank, or the customer first where the bank wants that. */
function confirm(world: World, intent: Intent, params: ConfirmParams): Intent {
  const open = ['requires_payment_method', 'requires_confirmation', 'requires_action'];
  if (!open.includes(intent.status)) throw unexpectedState(intent, 'confirmed');
  const cardId = params.payment_method ?? intent.payment_method;
  if (!cardId) {
    throw invalid('You cannot confirm this PaymentIntent because it is missing a payment method.', {
      code: 'payment_intent_unexpected_state',
    });
  }
  const method = ownCard(
    world,
    String(cardId),
    intent.customer === null ? undefined : String(intent.customer),
  );
  const card = behaviourOfMethod(world, method.id);
  const isAsked =
    card.authentication === 'always' || (card.authentication === 'unless_set_up' && !card.isSetUp);
  const ready = { ...intent, payment_method: method.id, last_payment_error: null, next_action: null };
  if (!isAsked) return charge(world, ready, method, card.decline);
  if (params.off_session) return charge(world, ready, method, AUTHENTICATION_REQUIRED);
  return askCustomer(world, ready, params.return_url);
}

const AUTHENTICATION_REQUIRED: Decline = {
  code: 'authentication_required',
  declineCode: 'authentication_required',
  message: 'Your card was declined. This transaction requires authentication.',
};

function askCustomer(world: World, intent: Intent, returnUrl: string | undefined): Intent {
  const url = `${world.publicUrl}/3ds/payment/${intent.id}?secret=${intent.client_secret}`;
  const asked = world.store.put('payment_intent', {
    ...intent,
    status: 'requires_action',
    next_action: returnUrl
      ? { type: 'redirect_to_url', redirect_to_url: { return_url: returnUrl, url } }
      : { type: 'use_stripe_sdk', use_stripe_sdk: {} },
  });
  world.emit('payment_intent.requires_action', asked);
  return asked;
}

/** Charges a card: a failure leaves the intent open for another card and answers 402. */
function charge(
  world: World,
  intent: Intent,
  method: Stripe.PaymentMethod,
  decline: Decline | undefined,
): Intent {
  const attempt = world.store.put('charge', newCharge(world, intent, method, decline));
  if (decline) throw fail(world, { ...intent, latest_charge: attempt.id }, method, decline, attempt);
  const isHeld = intent.capture_method === 'manual';
  const paid = world.store.put('payment_intent', {
    ...intent,
    latest_charge: attempt.id,
    status: isHeld ? 'requires_capture' : 'succeeded',
    amount_capturable: isHeld ? intent.amount : 0,
    amount_received: isHeld ? 0 : intent.amount,
  });
  world.emit('charge.succeeded', attempt);
  world.emit(isHeld ? 'payment_intent.amount_capturable_updated' : 'payment_intent.succeeded', paid);
  return paid;
}

function fail(
  world: World,
  intent: Intent,
  method: Stripe.PaymentMethod,
  decline: Decline,
  attempt?: Stripe.Charge,
): StripeProblem {
  const error = {
    type: 'card_error' as const,
    code: decline.code,
    ...(decline.declineCode ? { decline_code: decline.declineCode } : {}),
    message: decline.message,
    payment_method: method,
    ...(attempt ? { charge: attempt.id } : {}),
  };
  const failed = world.store.put('payment_intent', {
    ...intent,
    status: 'requires_payment_method',
    payment_method: null,
    next_action: null,
    last_payment_error: error,
  });
  if (attempt) world.emit('charge.failed', attempt);
  world.emit('payment_intent.payment_failed', failed);
  return cardProblem(decline, {
    payment_intent: failed,
    payment_method: method,
    ...(attempt ? { charge: attempt.id } : {}),
  });
}

/** The customer's answer on the 3-D Secure page. Answers the intent as it is afterwards. */
export function answerAuthentication(world: World, id: string, isConfirmed: boolean): Intent {
  const intent = world.find('payment_intent', id);
  if (intent.status !== 'requires_action') throw unexpectedState(intent, 'authenticated');
  const method = world.find('payment_method', String(intent.payment_method));
  if (!isConfirmed) {
    fail(world, intent, method, {
      code: 'payment_intent_authentication_failure',
      message: 'The provided PaymentMethod has failed authentication.',
    });
    return world.find('payment_intent', id);
  }
  try {
    return charge(
      world,
      { ...intent, next_action: null },
      method,
      behaviourOfMethod(world, method.id).decline,
    );
  } catch (problem) {
    if (problem instanceof StripeProblem) return world.find('payment_intent', id);
    throw problem;
  }
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
  const taken = world.store.put('charge', {
    ...held,
    captured: true,
    amount_captured: amount,
    balance_transaction: `txn_${held.id.slice(3)}`,
  });
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

/** Closes an intent and lets go of what it holds. */
export function cancelIntent(world: World, intent: Intent, reason: Intent['cancellation_reason']): Intent {
  const final = ['succeeded', 'canceled', 'processing'];
  if (final.includes(intent.status)) throw unexpectedState(intent, 'canceled');
  if (intent.status === 'requires_capture') {
    const held = world.find('charge', String(intent.latest_charge));
    const released = world.store.put('charge', { ...held, refunded: true, amount_refunded: held.amount });
    world.emit(reason === 'automatic' ? 'charge.expired' : 'charge.refunded', released);
  }
  const canceled = world.store.put('payment_intent', {
    ...intent,
    status: 'canceled',
    amount_capturable: 0,
    canceled_at: world.now(),
    cancellation_reason: reason,
    next_action: null,
  });
  world.emit('payment_intent.canceled', canceled);
  return canceled;
}

/** Cancels the holds that their banks let go of. */
export function expireHolds(world: World): void {
  for (const intent of world.store.all('payment_intent')) {
    if (intent.status !== 'requires_capture') continue;
    const held = world.find('charge', String(intent.latest_charge));
    const until = held.payment_method_details?.card?.capture_before;
    if (until !== undefined && until <= world.now()) cancelIntent(world, intent, 'automatic');
  }
}

export const paymentIntentRoutes = [
  route('POST', '/v1/payment_intents', createShape, create),
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
    confirm(world, world.find('payment_intent', id, 'intent'), params),
  ),
  route('POST', '/v1/payment_intents/:id/capture', captureShape, capture),
  route('POST', '/v1/payment_intents/:id/cancel', cancelShape, (world, params, { id }) =>
    cancelIntent(world, world.find('payment_intent', id, 'intent'), params.cancellation_reason ?? null),
  ),
];
