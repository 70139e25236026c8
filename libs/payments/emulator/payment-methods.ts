import { z } from 'zod';
import type { Stripe } from '../stripe/types.ts';
import {
  behaviourOf,
  type CardBehaviour,
  DECLINES,
  type Decline,
  isCardNumber,
  numberOfTestId,
} from './cards.ts';
import { liveCustomer } from './customers.ts';
import { expand, integer, metadata, page, type ShapeOf, text } from './form.ts';
import { newCardMethod } from './objects.ts';
import { listPage, mergeMetadata } from './paging.ts';
import { invalid, StripeProblem } from './problem.ts';
import { route } from './routes.ts';
import type { World } from './world.ts';

export const cardShape = z.strictObject({
  number: text,
  exp_month: integer,
  exp_year: integer,
  cvc: text.optional(),
});
export type CardParams = z.infer<typeof cardShape>;

const createShape = z.strictObject({
  type: z.literal('card'),
  card: cardShape,
  billing_details: z.strictObject({ name: text.optional(), email: text.optional() }).optional(),
  metadata: metadata.optional(),
  expand: expand.optional(),
} satisfies ShapeOf<Stripe.PaymentMethodCreateParams>);
const attachShape = z.strictObject({
  customer: text,
  expand: expand.optional(),
} satisfies ShapeOf<Stripe.PaymentMethodAttachParams>);
const listShape = z.strictObject({
  ...page,
  customer: text,
  type: text.optional(),
} satisfies ShapeOf<Stripe.PaymentMethodListParams>);
const readShape = z.strictObject({ expand: expand.optional() });

/** A card error as Stripe answers it: HTTP 402. */
export function cardProblem(
  decline: Decline,
  more: Pick<
    StripeProblem['body'],
    'charge' | 'param' | 'payment_intent' | 'payment_method' | 'setup_intent'
  > = {},
): StripeProblem {
  return new StripeProblem(402, {
    type: 'card_error',
    code: decline.code,
    ...(decline.declineCode ? { decline_code: decline.declineCode } : {}),
    message: decline.message,
    ...more,
  });
}

const wrong = (code: string, param: string, message: string) => cardProblem({ code, message }, { param });

/** Makes a card's payment method. @throws StripeProblem 402 for a number, date or code that cannot be. */
export function makeCard(
  world: World,
  card: CardParams,
  billing: { name?: string | undefined; email?: string | undefined } = {},
): Stripe.PaymentMethod {
  const number = card.number.replaceAll(/[\s-]/g, '');
  if (!isCardNumber(number)) throw wrong('incorrect_number', 'number', 'Your card number is incorrect.');
  const behaviour = behaviourOf(number);
  if (!behaviour) {
    const message = 'Your card was declined. Your request was in test mode, but used a non test card.';
    throw cardProblem({ code: 'card_declined', declineCode: 'live_mode_test_card', message });
  }
  checkDate(world, card);
  const length = behaviour.brand === 'amex' ? 4 : 3;
  if (card.cvc !== undefined && !new RegExp(`^\\d{${length}}$`).test(card.cvc)) {
    throw wrong('invalid_cvc', 'cvc', "Your card's security code is invalid.");
  }
  return keepCard(world, number, behaviour, { ...card, ...billing });
}

function checkDate(world: World, card: CardParams): void {
  const today = new Date(world.now() * 1000);
  if (card.exp_month < 1 || card.exp_month > 12) {
    throw wrong('invalid_expiry_month', 'exp_month', "Your card's expiration month is invalid.");
  }
  const isPast =
    card.exp_year < today.getUTCFullYear() ||
    (card.exp_year === today.getUTCFullYear() && card.exp_month < today.getUTCMonth() + 1);
  if (isPast || card.exp_year > today.getUTCFullYear() + 50) {
    throw wrong('invalid_expiry_year', 'exp_year', "Your card's expiration year is invalid.");
  }
}

function keepCard(
  world: World,
  number: string,
  behaviour: CardBehaviour,
  given: { exp_month: number; exp_year: number; name?: string | undefined; email?: string | undefined },
): Stripe.PaymentMethod {
  const method = newCardMethod(world, number, behaviour, {
    exp_month: given.exp_month,
    exp_year: given.exp_year,
    ...(given.name ? { name: given.name } : {}),
    ...(given.email ? { email: given.email } : {}),
  });
  world.store.put('card', { id: method.id, number, isSetUp: false });
  return world.store.put('payment_method', method);
}

/** A payment method by its id, or a fresh one where the id is one of Stripe's test ids (`pm_card_visa`). */
export function paymentMethodOf(world: World, id: string, param = 'payment_method'): Stripe.PaymentMethod {
  const number = numberOfTestId(id);
  if (number === undefined) return world.find('payment_method', id, param);
  const exp_year = new Date(world.now() * 1000).getUTCFullYear() + 1;
  return makeCard(world, { number, exp_month: 8, exp_year });
}

/** How a payment method behaves when it is charged. */
export function behaviourOfMethod(world: World, id: string): CardBehaviour & { isSetUp: boolean } {
  const secret = world.find('card', id);
  const behaviour = behaviourOf(secret.number) ?? {
    brand: 'visa',
    funding: 'credit',
    decline: DECLINES.generic,
  };
  return { ...behaviour, isSetUp: secret.isSetUp };
}

/** Ties a card to a customer. @throws StripeProblem 402 where the bank refuses the card, 400 if it has an owner. */
export function attachCard(
  world: World,
  method: Stripe.PaymentMethod,
  customerId: string,
): Stripe.PaymentMethod {
  if (method.customer === customerId) return method;
  if (method.customer !== null) {
    throw invalid('The payment method you provided has already been attached to a customer.', {
      code: 'payment_method_unexpected_state',
    });
  }
  const behaviour = behaviourOfMethod(world, method.id);
  if (behaviour.decline && behaviour.declinesOnSetup) throw cardProblem(behaviour.decline);
  const attached = world.store.put('payment_method', { ...method, customer: customerId });
  world.emit('payment_method.attached', attached);
  return attached;
}

/** Takes a card from its customer. @throws StripeProblem 400 where it has none. */
export function detachCard(world: World, method: Stripe.PaymentMethod): Stripe.PaymentMethod {
  const { id } = method;
  if (method.customer === null) {
    throw invalid(
      'The payment method you provided is not attached to a customer so detachment is impossible.',
      {
        code: 'payment_method_unexpected_state',
      },
    );
  }
  const owner = world.store.get('customer', String(method.customer));
  if (owner && owner.invoice_settings?.default_payment_method === id) {
    const settings = { ...owner.invoice_settings, default_payment_method: null };
    world.store.put('customer', { ...owner, invoice_settings: settings });
  }
  const detached = world.store.put('payment_method', { ...method, customer: null });
  world.emit('payment_method.detached', detached);
  return detached;
}

export const paymentMethodRoutes = [
  route('POST', '/v1/payment_methods', createShape, (world, params) => {
    const method = makeCard(world, params.card, params.billing_details);
    return world.store.put('payment_method', { ...method, metadata: mergeMetadata({}, params.metadata) });
  }),
  route('GET', '/v1/payment_methods', listShape, (world, params) => {
    liveCustomer(world, params.customer, 'customer');
    return listPage(
      world,
      'payment_method',
      '/v1/payment_methods',
      params,
      (method) =>
        method.customer === params.customer && (params.type === undefined || method.type === params.type),
    );
  }),
  route('GET', '/v1/payment_methods/:id', readShape, (world, _params, { id }) =>
    world.find('payment_method', id),
  ),
  route('POST', '/v1/payment_methods/:id/attach', attachShape, (world, params, { id }) =>
    attachCard(world, paymentMethodOf(world, id), liveCustomer(world, params.customer, 'customer').id),
  ),
  route('POST', '/v1/payment_methods/:id/detach', readShape, (world, _params, { id }) =>
    detachCard(world, world.find('payment_method', id)),
  ),
];
