import { z } from 'zod';
import type { Stripe } from '../stripe/types.ts';
import { liveCustomer } from './customers.ts';
import { expand, flag, metadata, page, type ShapeOf, text } from './form.ts';
import { newSetupIntent } from './objects.ts';
import { listPage, mergeMetadata } from './paging.ts';
import { attachCard, behaviourOfMethod, cardProblem, paymentMethodOf } from './payment-methods.ts';
import { invalid, StripeProblem } from './problem.ts';
import { route } from './routes.ts';
import type { World } from './world.ts';

const createShape = z.strictObject({
  customer: text.optional(),
  payment_method: text.optional(),
  confirm: flag.optional(),
  usage: z.enum(['on_session', 'off_session']).optional(),
  return_url: z.url().optional(),
  description: text.optional(),
  metadata: metadata.optional(),
  allowed_payment_method_types: z.array(z.literal('card')).optional(),
  expand: expand.optional(),
} satisfies ShapeOf<Stripe.SetupIntentCreateParams>);
const confirmShape = z.strictObject({
  payment_method: text.optional(),
  return_url: z.url().optional(),
  expand: expand.optional(),
} satisfies ShapeOf<Stripe.SetupIntentConfirmParams>);
const cancelShape = z.strictObject({
  cancellation_reason: z.enum(['abandoned', 'requested_by_customer', 'duplicate']).optional(),
  expand: expand.optional(),
} satisfies ShapeOf<Stripe.SetupIntentCancelParams>);
const listShape = z.strictObject({
  ...page,
  customer: text.optional(),
} satisfies ShapeOf<Stripe.SetupIntentListParams>);
const readShape = z.strictObject({ client_secret: text.optional(), expand: expand.optional() });

type Intent = Stripe.SetupIntent;

function unexpectedState(intent: Intent): StripeProblem {
  return new StripeProblem(400, {
    type: 'invalid_request_error',
    code: 'setup_intent_unexpected_state',
    message: `You cannot do this to a SetupIntent that has a status of ${intent.status}.`,
    setup_intent: intent,
  });
}

/** Saves a card for use while its owner is absent, asking them first where the bank wants that. */
export function confirmSetup(world: World, intent: Intent, cardId: string, returnUrl?: string): Intent {
  if (!['requires_payment_method', 'requires_confirmation', 'requires_action'].includes(intent.status)) {
    throw unexpectedState(intent);
  }
  const method = paymentMethodOf(world, cardId);
  const card = behaviourOfMethod(world, method.id);
  const ready = { ...intent, payment_method: method.id, last_setup_error: null, next_action: null };
  if (card.decline && card.declinesOnSetup) throw failSetup(world, ready, method, card.decline);
  if (!card.authentication) return succeed(world, ready, method);
  const url = `${world.publicUrl}/3ds/setup/${intent.id}?secret=${intent.client_secret}`;
  const asked = world.store.put('setup_intent', {
    ...ready,
    status: 'requires_action',
    next_action: returnUrl
      ? { type: 'redirect_to_url', redirect_to_url: { return_url: returnUrl, url } }
      : { type: 'use_stripe_sdk', use_stripe_sdk: {} },
  });
  world.emit('setup_intent.requires_action', asked);
  return asked;
}

function succeed(world: World, intent: Intent, method: Stripe.PaymentMethod): Intent {
  const secret = world.find('card', method.id);
  world.store.put('card', { ...secret, isSetUp: true });
  if (intent.customer !== null) attachCard(world, method, String(intent.customer));
  const done = world.store.put('setup_intent', { ...intent, status: 'succeeded', next_action: null });
  world.emit('setup_intent.succeeded', done);
  return done;
}

function failSetup(
  world: World,
  intent: Intent,
  method: Stripe.PaymentMethod,
  decline: { code: string; declineCode?: string; message: string },
): StripeProblem {
  const failed = world.store.put('setup_intent', {
    ...intent,
    status: 'requires_payment_method',
    payment_method: null,
    next_action: null,
    last_setup_error: {
      type: 'card_error',
      code: decline.code,
      ...(decline.declineCode ? { decline_code: decline.declineCode } : {}),
      message: decline.message,
      payment_method: method,
    },
  });
  world.emit('setup_intent.setup_failed', failed);
  return cardProblem(decline, { setup_intent: failed });
}

/** The customer's answer on the 3-D Secure page. Answers the intent as it is afterwards. */
export function answerSetupAuthentication(world: World, id: string, isConfirmed: boolean): Intent {
  const intent = world.find('setup_intent', id);
  if (intent.status !== 'requires_action') throw unexpectedState(intent);
  const method = world.find('payment_method', String(intent.payment_method));
  if (isConfirmed) return succeed(world, intent, method);
  failSetup(world, intent, method, {
    code: 'setup_intent_authentication_failure',
    message: 'The bank could not confirm that it is you. Try again or use another card.',
  });
  return world.find('setup_intent', id);
}

/** @throws StripeProblem 400 when it is over. */
export function cancelSetup(world: World, intent: Intent, reason: Intent['cancellation_reason']): Intent {
  if (intent.status === 'succeeded' || intent.status === 'canceled') throw unexpectedState(intent);
  const canceled = world.store.put('setup_intent', {
    ...intent,
    status: 'canceled',
    cancellation_reason: reason,
    next_action: null,
  });
  world.emit('setup_intent.canceled', canceled);
  return canceled;
}

function create(world: World, params: z.infer<typeof createShape>): Intent {
  if (params.customer) liveCustomer(world, params.customer, 'customer');
  const method = params.payment_method ? paymentMethodOf(world, params.payment_method) : undefined;
  const intent = newSetupIntent(world, {
    customer: params.customer ?? null,
    description: params.description ?? null,
    metadata: mergeMetadata({}, params.metadata),
    usage: params.usage ?? 'off_session',
    payment_method: method?.id ?? null,
    status: method ? 'requires_confirmation' : 'requires_payment_method',
  });
  world.store.put('setup_intent', intent);
  world.emit('setup_intent.created', intent);
  if (!params.confirm) return intent;
  if (!method) throw invalid('A payment method is needed to confirm.', { param: 'payment_method' });
  return confirmSetup(world, intent, method.id, params.return_url);
}

export const setupIntentRoutes = [
  route('POST', '/v1/setup_intents', createShape, create),
  route('GET', '/v1/setup_intents', listShape, (world, params) =>
    listPage(
      world,
      'setup_intent',
      '/v1/setup_intents',
      params,
      (intent) => params.customer === undefined || intent.customer === params.customer,
    ),
  ),
  route('GET', '/v1/setup_intents/:id', readShape, (world, _params, { id }) =>
    world.find('setup_intent', id, 'intent'),
  ),
  route('POST', '/v1/setup_intents/:id/confirm', confirmShape, (world, params, { id }) => {
    const intent = world.find('setup_intent', id, 'intent');
    const cardId = params.payment_method ?? intent.payment_method;
    if (!cardId) throw invalid('A payment method is needed to confirm.', { param: 'payment_method' });
    return confirmSetup(world, intent, String(cardId), params.return_url);
  }),
  route('POST', '/v1/setup_intents/:id/cancel', cancelShape, (world, params, { id }) =>
    cancelSetup(world, world.find('setup_intent', id, 'intent'), params.cancellation_reason ?? null),
  ),
];
