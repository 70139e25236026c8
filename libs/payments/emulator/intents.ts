import type { Stripe } from '../stripe/types.ts';
import { charged } from './balance.ts';
import type { Decline } from './cards.ts';
import { newCharge } from './objects.ts';
import { attachCard, behaviourOfMethod, cardProblem, paymentMethodOf } from './payment-methods.ts';
import { invalid, StripeProblem } from './problem.ts';
import type { World } from './world.ts';

type Intent = Stripe.PaymentIntent;

/** Stripe's smallest charge in euro and dollar. */
export const LEAST_AMOUNT = 50;

export function unexpectedState(intent: Intent, doing: string): StripeProblem {
  return new StripeProblem(400, {
    type: 'invalid_request_error',
    code: 'payment_intent_unexpected_state',
    message: `This PaymentIntent could not be ${doing} because it has a status of ${intent.status}.`,
    payment_intent: intent,
  });
}

/** @throws StripeProblem 400 where the card belongs to another customer or was detached. */
export function ownCard(world: World, id: string, customerId: string | undefined): Stripe.PaymentMethod {
  const method = paymentMethodOf(world, id);
  if (method.customer !== null && method.customer !== customerId) {
    throw invalid(`The PaymentMethod ${id} does not belong to the Customer you supplied.`, {
      param: 'payment_method',
    });
  }
  return method;
}

/** How an intent is confirmed. */
export interface Confirmation {
  readonly payment_method?: string | undefined;
  readonly off_session?: boolean | undefined;
  readonly return_url?: string | undefined;
}

/**
 * Asks the bank, or the customer first where the bank wants that.
 * @throws StripeProblem 402 for a decline; 400 for an intent that is over, or has no card.
 */
export function confirmIntent(world: World, intent: Intent, params: Confirmation): Intent {
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
  if (method.type === 'sepa_debit') return debitBank(world, intent, method);
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

/** A bank debit takes days: until then the intent is `processing`. */
function debitBank(world: World, intent: Intent, method: Stripe.PaymentMethod): Intent {
  const started = world.store.put('payment_intent', {
    ...intent,
    payment_method: method.id,
    status: 'processing',
    last_payment_error: null,
    next_action: null,
  });
  world.emit('payment_intent.processing', started);
  return started;
}

/** What the bank answered to a debit in the end. */
export function settleDebit(world: World, id: string, isGood: boolean): void {
  const intent = world.find('payment_intent', id);
  if (intent.status !== 'processing') return;
  const method = world.find('payment_method', String(intent.payment_method));
  const decline = isGood ? undefined : BANK_REFUSED;
  try {
    charge(world, intent, method, decline);
  } catch (problem) {
    if (!(problem instanceof StripeProblem)) throw problem;
  }
}

const BANK_REFUSED: Decline = {
  code: 'payment_intent_payment_attempt_failed',
  message: 'The bank returned the debit.',
};

/** Charges a card: a failure leaves the intent open for another card and answers 402. */
function charge(
  world: World,
  intent: Intent,
  method: Stripe.PaymentMethod,
  decline: Decline | undefined,
): Intent {
  const fresh = newCharge(world, intent, method, decline);
  const attempt = world.store.put('charge', fresh.captured ? charged(world, fresh) : fresh);
  if (decline) throw fail(world, { ...intent, latest_charge: attempt.id }, method, decline, attempt);
  const isHeld = intent.capture_method === 'manual';
  const paid = world.store.put('payment_intent', {
    ...intent,
    latest_charge: attempt.id,
    status: isHeld ? 'requires_capture' : 'succeeded',
    amount_capturable: isHeld ? intent.amount : 0,
    amount_received: isHeld ? 0 : intent.amount,
  });
  if (intent.setup_future_usage === 'off_session') keepForLater(world, intent, method);
  world.emit('charge.succeeded', attempt);
  world.emit(isHeld ? 'payment_intent.amount_capturable_updated' : 'payment_intent.succeeded', paid);
  return paid;
}

/** A card that was used with its owner's consent to use it again. */
function keepForLater(world: World, intent: Intent, method: Stripe.PaymentMethod): void {
  if (method.type !== 'card' || intent.customer === null) return;
  world.store.put('card', { ...world.find('card', method.id), isSetUp: true });
  attachCard(world, method, String(intent.customer));
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
    canceled_at: world.now(intent.customer),
    cancellation_reason: reason,
    next_action: null,
  });
  world.emit('payment_intent.canceled', canceled);
  return canceled;
}
