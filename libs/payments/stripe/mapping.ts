import type { Currency } from '#libs/kernel';
import { eventGroupOf } from '../event-types.ts';
import type { Card, CardSetup, EventSubject, Hold, HoldStatus, ProviderEvent } from '../port.ts';
import { declineCodeOf } from './errors.ts';
import type { Stripe } from './types.ts';

/** Metadata under which Servery finds its own objects again. */
export const ORDER_KEY = 'order_id';
export const ACCOUNT_KEY = 'account_id';
export const REFERENCE_KEY = 'reference';

/** A number of ours among an object's metadata. */
export function ownId(metadata: Stripe.Metadata | null | undefined, key: string): number | undefined {
  const id = Number(metadata?.[key]);
  return Number.isSafeInteger(id) && id > 0 ? id : undefined;
}

/** @param intent with `latest_charge` expanded, for what was refunded. */
export function holdOf(intent: Stripe.PaymentIntent): Hold {
  const charge = typeof intent.latest_charge === 'object' ? intent.latest_charge : null;
  const error = intent.last_payment_error;
  const status = holdStatusOf(intent);
  const actionUrl = intent.next_action?.redirect_to_url?.url;
  return {
    holdId: intent.id,
    orderId: ownId(intent.metadata, ORDER_KEY),
    status,
    amountMinor: intent.amount,
    currency: intent.currency as Currency,
    capturedMinor: intent.amount_received,
    refundedMinor: charge?.captured ? charge.amount_refunded : 0,
    ...(error ? { declineCode: declineCodeOf(error.code, error.decline_code) } : {}),
    ...(status === 'requires_action' && actionUrl ? { actionUrl } : {}),
  };
}

function holdStatusOf(intent: Stripe.PaymentIntent): HoldStatus {
  switch (intent.status) {
    case 'requires_capture':
      return 'authorized';
    case 'succeeded':
      return 'captured';
    case 'canceled':
      return 'cancelled';
    case 'requires_action':
      return 'requires_action';
    default:
      return intent.last_payment_error ? 'declined' : 'opened';
  }
}

export function cardOf(method: Stripe.PaymentMethod, defaultCardId: string | undefined): Card {
  const { card } = method;
  return {
    cardId: method.id,
    brand: card?.brand ?? 'card',
    last4: card?.last4 ?? '0000',
    expiryMonth: card?.exp_month ?? 1,
    expiryYear: card?.exp_year ?? 1970,
    isDefault: method.id === defaultCardId,
  };
}

/** @param session with `setup_intent` expanded, for the card. */
export function cardSetupOf(session: Stripe.Checkout.Session): CardSetup {
  const intent = typeof session.setup_intent === 'object' ? session.setup_intent : null;
  const cardId = session.status === 'complete' ? idOf(intent?.payment_method) : undefined;
  return {
    setupId: session.id,
    customerId: idOf(session.customer) ?? '',
    status: session.status === 'complete' ? 'completed' : session.status === 'open' ? 'open' : 'expired',
    ...(session.url ? { url: session.url } : {}),
    ...(cardId ? { cardId } : {}),
  };
}

/** An id, whether Stripe sent it or the object. */
export function idOf(reference: string | { id: string } | null | undefined): string | undefined {
  return typeof reference === 'object' ? reference?.id : reference;
}

export function eventOf(event: Stripe.Event): ProviderEvent {
  return {
    eventId: event.id,
    type: event.type,
    createdAt: new Date(event.created * 1000),
    subject: subjectOf(event.type, event.data.object as unknown as Subject),
  };
}

interface Subject {
  readonly id?: string;
  readonly mode?: string;
  readonly payment_intent?: string | { id: string } | null;
  readonly customer?: string | { id: string } | null;
}

function subjectOf(type: string, object: Subject): EventSubject {
  const of = (kind: Exclude<EventSubject['kind'], 'other'>, id = object.id): EventSubject =>
    id ? { kind, id } : { kind: 'other' };
  switch (eventGroupOf(type)) {
    case 'checkout':
      return of(object.mode === 'payment' ? 'top_up' : 'card_setup');
    case 'payment':
      return of('payment', type.startsWith('charge.') ? (idOf(object.payment_intent) ?? '') : object.id);
    case 'invoice':
      return of('invoice');
    case 'dispute':
      return of('dispute');
    case 'refund':
      return of('refund');
    case 'payout':
      return of('payout');
    case 'customer':
      return of('customer');
    case 'cards':
      return cardsSubject(type, object);
    default:
      return { kind: 'other' };
  }
}

/** Whose cards changed: a customer's, or those of whoever had the card that has no customer any more. */
function cardsSubject(type: string, object: Subject): EventSubject {
  const customer = type === 'customer.updated' ? object.id : idOf(object.customer);
  if (customer) return { kind: 'customer', id: customer };
  return type === 'payment_method.detached' && object.id
    ? { kind: 'card', id: object.id }
    : { kind: 'other' };
}
