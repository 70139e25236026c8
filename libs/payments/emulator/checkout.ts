import { z } from 'zod';
import type { Stripe } from '../stripe/types.ts';
import { liveCustomer } from './customers.ts';
import { expand, integer, metadata, page, type ShapeOf, text } from './form.ts';
import { newCheckoutSession, newSetupIntent } from './objects.ts';
import { listPage, mergeMetadata } from './paging.ts';
import { invalid } from './problem.ts';
import { route } from './routes.ts';
import { cancelSetup } from './setup-intents.ts';
import type { World } from './world.ts';

const createShape = z.strictObject({
  mode: z.literal('setup', 'The emulator serves mode=setup.'),
  success_url: z.url().max(5000),
  cancel_url: z.url().max(5000).optional(),
  currency: text.optional(),
  customer: text.optional(),
  client_reference_id: z.string().max(200).optional(),
  expires_at: integer.optional(),
  metadata: metadata.optional(),
  allowed_payment_method_types: z.array(z.literal('card')).optional(),
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
  const now = world.now();
  if (
    params.expires_at !== undefined &&
    (params.expires_at < now + 1800 || params.expires_at > now + 86_400)
  ) {
    throw invalid('The `expires_at` timestamp must be between 30 minutes and 24 hours from now.', {
      param: 'expires_at',
    });
  }
  const intent = newSetupIntent(world, {
    customer: customer?.id ?? null,
    description: params.setup_intent_data?.description ?? null,
    metadata: mergeMetadata({}, params.setup_intent_data?.metadata),
  });
  world.store.put('setup_intent', intent);
  world.emit('setup_intent.created', intent);
  return world.store.put(
    'checkout.session',
    newCheckoutSession(world, {
      success_url: params.success_url,
      cancel_url: params.cancel_url ?? null,
      currency: params.currency ?? null,
      customer: customer?.id ?? null,
      client_reference_id: params.client_reference_id ?? null,
      metadata: mergeMetadata({}, params.metadata),
      setup_intent: intent.id,
      ...(params.expires_at === undefined ? {} : { expires_at: params.expires_at }),
    }),
  );
}

/** Marks a session done once its card is saved. */
export function completeSession(world: World, session: Session): Session {
  const intent = world.find('setup_intent', String(session.setup_intent));
  const method = world.find('payment_method', String(intent.payment_method));
  const customer = session.customer === null ? undefined : world.find('customer', String(session.customer));
  const done = world.store.put('checkout.session', {
    ...session,
    status: 'complete',
    url: null,
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
  const intent = world.find('setup_intent', String(session.setup_intent));
  if (intent.status !== 'succeeded' && intent.status !== 'canceled') cancelSetup(world, intent, 'abandoned');
  const expired = world.store.put('checkout.session', { ...session, status: 'expired', url: null });
  world.emit('checkout.session.expired', expired);
  return expired;
}

/** Closes the sessions that nobody completed in time. */
export function expireSessions(world: World): void {
  for (const session of world.store.all('checkout.session')) {
    if (session.status === 'open' && session.expires_at <= world.now()) expire(world, session);
  }
}

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
