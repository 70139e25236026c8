import { z } from 'zod';
import type { Stripe } from '../stripe/types.ts';
import { liveCustomer } from './customers.ts';
import type { Due } from './due.ts';
import { expand, integer, metadata, page, type ShapeOf, text } from './form.ts';
import { cancelIntent } from './intents.ts';
import { newCheckoutSession, newSetupIntent } from './objects.ts';
import { listPage, mergeMetadata } from './paging.ts';
import { createIntent } from './payment-intents.ts';
import { invalid } from './problem.ts';
import { route } from './routes.ts';
import { cancelSetup } from './setup-intents.ts';
import { reaction, type World } from './world.ts';

const currency = z.string().regex(/^[a-zA-Z]{3}$/, 'Invalid currency');
const lineItem = z.strictObject({
  price_data: z.strictObject({
    currency,
    unit_amount: integer,
    product_data: z.strictObject({ name: text, description: text.optional() }),
  }),
  quantity: integer.optional(),
});
const createShape = z.strictObject({
  mode: z.enum(['setup', 'payment'], 'The emulator serves mode=setup and mode=payment.'),
  success_url: z.url().max(5000),
  cancel_url: z.url().max(5000).optional(),
  currency: currency.optional(),
  customer: text.optional(),
  client_reference_id: z.string().max(200).optional(),
  expires_at: integer.optional(),
  metadata: metadata.optional(),
  allowed_payment_method_types: z.array(z.literal('card')).optional(),
  line_items: z.array(lineItem).min(1).max(100).optional(),
  payment_intent_data: z
    .strictObject({
      description: text.optional(),
      metadata: metadata.optional(),
      setup_future_usage: z.enum(['on_session', 'off_session']).optional(),
    })
    .optional(),
  setup_intent_data: z
    .strictObject({ description: text.optional(), metadata: metadata.optional() })
    .optional(),
  expand: expand.optional(),
} satisfies ShapeOf<Stripe.Checkout.SessionCreateParams>);
const listShape = z.strictObject({
  ...page,
  customer: text.optional(),
  setup_intent: text.optional(),
  payment_intent: text.optional(),
  status: z.enum(['open', 'complete', 'expired']).optional(),
});
const readShape = z.strictObject({ expand: expand.optional() });

type Session = Stripe.Checkout.Session;

function create(world: World, params: z.infer<typeof createShape>): Session {
  const customer = params.customer ? liveCustomer(world, params.customer, 'customer') : undefined;
  const now = world.now(params.customer);
  if (
    params.expires_at !== undefined &&
    (params.expires_at < now + 1800 || params.expires_at > now + 86_400)
  ) {
    throw invalid('The `expires_at` timestamp must be between 30 minutes and 24 hours from now.', {
      param: 'expires_at',
    });
  }
  const session = newCheckoutSession(world, {
    success_url: params.success_url,
    cancel_url: params.cancel_url ?? null,
    currency: params.currency ?? null,
    customer: customer?.id ?? null,
    client_reference_id: params.client_reference_id ?? null,
    metadata: mergeMetadata({}, params.metadata),
    ...(params.expires_at === undefined ? {} : { expires_at: params.expires_at }),
    ...(params.mode === 'setup' ? toSetUp(world, params) : toPay(world, params)),
  });
  if (session.payment_intent)
    world.store.put('owner', { id: String(session.payment_intent), sessionId: session.id });
  return world.store.put('checkout.session', session);
}

/** What a session to save a card has: its setup intent. */
function toSetUp(world: World, params: z.infer<typeof createShape>): Partial<Session> {
  if (params.line_items)
    throw invalid('You can not pass `line_items` in `setup` mode.', { param: 'line_items' });
  const intent = newSetupIntent(world, {
    customer: params.customer ?? null,
    description: params.setup_intent_data?.description ?? null,
    metadata: mergeMetadata({}, params.setup_intent_data?.metadata),
  });
  world.store.put('setup_intent', intent);
  world.emit('setup_intent.created', intent);
  return { mode: 'setup', setup_intent: intent.id };
}

/** What a session to pay has: its sum, and the payment intent for it. */
function toPay(world: World, params: z.infer<typeof createShape>): Partial<Session> {
  const items = params.line_items ?? [];
  const [first] = items;
  if (!first) {
    throw invalid('Missing required param: line_items.', { code: 'parameter_missing', param: 'line_items' });
  }
  if (items.some((item) => item.price_data.currency !== first.price_data.currency)) {
    throw invalid('All line items must have the same currency.', { param: 'line_items' });
  }
  const amount = items.reduce((sum, item) => sum + item.price_data.unit_amount * (item.quantity ?? 1), 0);
  const { description, metadata: given, setup_future_usage } = params.payment_intent_data ?? {};
  const intent = createIntent(world, {
    amount,
    currency: first.price_data.currency,
    customer: params.customer,
    description: description ?? first.price_data.product_data.name,
    metadata: given,
    setup_future_usage,
  });
  return {
    mode: 'payment',
    amount_subtotal: amount,
    amount_total: amount,
    currency: intent.currency,
    payment_intent: intent.id,
    payment_status: 'unpaid',
    setup_intent: null,
    total_details: { amount_discount: 0, amount_shipping: 0, amount_tax: 0 },
    payment_method_types: ['card', 'sepa_debit'],
  };
}

/** The payment method that a session's intent ended with. */
function methodOf(world: World, session: Session): Stripe.PaymentMethod {
  const intent = session.payment_intent
    ? world.find('payment_intent', String(session.payment_intent))
    : world.find('setup_intent', String(session.setup_intent));
  return world.find('payment_method', String(intent.payment_method));
}

/** Marks a session done once its card is saved, its payment made, or its debit on the way. */
export function completeSession(world: World, session: Session): Session {
  const method = methodOf(world, session);
  const customer = session.customer === null ? undefined : world.find('customer', String(session.customer));
  const done = world.store.put('checkout.session', {
    ...session,
    status: 'complete',
    url: null,
    payment_status: session.payment_intent ? paymentStatusOf(world, session) : 'no_payment_required',
    customer_details: {
      address: method.billing_details.address,
      business_name: null,
      email: customer?.email ?? method.billing_details.email,
      individual_name: null,
      name: method.billing_details.name,
      phone: null,
      tax_exempt: 'none',
      tax_ids: null,
    },
  });
  world.emit('checkout.session.completed', done);
  return done;
}

/** Where the customer goes after the page: the shop's address with the session's id put in. */
export function returnAddress(session: Session): string {
  return String(session.success_url).replaceAll('{CHECKOUT_SESSION_ID}', session.id);
}

function expire(world: World, session: Session): Session {
  if (session.status !== 'open') {
    throw invalid(
      `Only Checkout Sessions with a status in ["open"] can be expired. This one is ${session.status}.`,
    );
  }
  abandon(world, session);
  const expired = world.store.put('checkout.session', { ...session, status: 'expired', url: null });
  world.emit('checkout.session.expired', expired);
  return expired;
}

/** Lets go of what an open session would have used. */
function abandon(world: World, session: Session): void {
  if (session.payment_intent) {
    const intent = world.find('payment_intent', String(session.payment_intent));
    if (intent.status !== 'canceled') cancelIntent(world, intent, 'abandoned');
    return;
  }
  const intent = world.find('setup_intent', String(session.setup_intent));
  if (intent.status !== 'succeeded' && intent.status !== 'canceled') cancelSetup(world, intent, 'abandoned');
}

/** Sessions that nobody completed in time. */
export function sessionsDue(world: World): Due[] {
  return world.store.all('checkout.session').flatMap(({ id, status, expires_at: at, customer }) => {
    const run = () => {
      const session = world.find('checkout.session', id);
      if (session.status === 'open') expire(world, session);
    };
    return status === 'open' ? [{ at, customer, run }] : [];
  });
}

function paymentStatusOf(world: World, session: Session): 'paid' | 'unpaid' {
  return world.find('payment_intent', String(session.payment_intent)).status === 'succeeded'
    ? 'paid'
    : 'unpaid';
}

/** A completed session hears what became of a payment that took days. */
const settle = (outcome: 'succeeded' | 'failed') => (world: World, intent: Stripe.PaymentIntent) => {
  const sessionId = world.store.get('owner', intent.id)?.sessionId;
  const session = sessionId === undefined ? undefined : world.find('checkout.session', sessionId);
  if (session?.status !== 'complete' || session.payment_status === 'paid') return;
  const payment_status = paymentStatusOf(world, session);
  const after = world.store.put('checkout.session', { ...session, payment_status });
  world.emit(`checkout.session.async_payment_${outcome}`, after);
};
export const checkoutReactions = [
  reaction('payment_intent.succeeded', settle('succeeded')),
  reaction('payment_intent.payment_failed', settle('failed')),
];

export const checkoutRoutes = [
  route('POST', '/v1/checkout/sessions', createShape, create),
  route('GET', '/v1/checkout/sessions', listShape, (world, params) =>
    listPage(
      world,
      'checkout.session',
      '/v1/checkout/sessions',
      params,
      (session) =>
        (params.customer === undefined || session.customer === params.customer) &&
        (params.setup_intent === undefined || session.setup_intent === params.setup_intent) &&
        (params.payment_intent === undefined || session.payment_intent === params.payment_intent) &&
        (params.status === undefined || session.status === params.status),
    ),
  ),
  route('GET', '/v1/checkout/sessions/:id', readShape, (world, _params, { id }) =>
    world.find('checkout.session', id, 'session'),
  ),
  route('POST', '/v1/checkout/sessions/:id/expire', readShape, (world, _params, { id }) =>
    expire(world, world.find('checkout.session', id, 'session')),
  ),
];
