import type { Stripe } from '../stripe/types.ts';

/** What the emulator keeps, by kind. Those before `event` are Stripe's objects, the rest its private memory. */
export interface Kinds {
  customer: Stripe.Customer;
  payment_method: Stripe.PaymentMethod;
  setup_intent: Stripe.SetupIntent;
  payment_intent: Stripe.PaymentIntent;
  charge: Stripe.Charge;
  refund: Stripe.Refund;
  'checkout.session': Stripe.Checkout.Session;
  invoice: Stripe.Invoice;
  invoiceitem: Stripe.InvoiceItem;
  line_item: Stripe.InvoiceLineItem;
  invoice_payment: Stripe.InvoicePayment;
  customer_balance_transaction: Stripe.CustomerBalanceTransaction;
  dispute: Stripe.Dispute;
  balance_transaction: Stripe.BalanceTransaction;
  payout: Stripe.Payout;
  'billing_portal.session': Stripe.BillingPortal.Session;
  'test_helpers.test_clock': Stripe.TestHelpers.TestClock;
  event: StoredEvent;
  card: CardSecret;
  answer: SavedAnswer;
  delivery: Delivery;
  clock: { id: 'clock'; offsetSeconds: number };
  /** When the schedule has last made payouts. Unix seconds. */
  payout_schedule: { id: 'schedule'; lastAt: number };
  lines: InvoiceLines;
  owner: IntentOwner;
  /** By the invoice's id: the payment that collects it now. */
  intent_of: { id: string; paymentId: string };
  /** By the payment method's id: whether the bank pays its debits. */
  bank: { id: string; isGood: boolean };
}
export type Kind = keyof Kinds;

/** An event as sent; `Stripe.Event` is a union of 250 types, of which the emulator emits what it is told. */
export interface StoredEvent {
  id: string;
  object: 'event';
  api_version: string;
  created: number;
  data: { object: object };
  livemode: false;
  pending_webhooks: number;
  request: { id: string | null; idempotency_key: string | null };
  type: string;
}

/** What the emulator knows of a payment method beyond what it shows. */
export interface CardSecret {
  /** The payment method's id. */
  readonly id: string;
  readonly number: string;
  /** Set up for off-session use with the customer's confirmation. */
  readonly isSetUp: boolean;
}

/** Which lines an invoice has, in their order. */
export interface InvoiceLines {
  /** The invoice's id. */
  readonly id: string;
  readonly lineIds: readonly string[];
}

/** What a payment intent was made for. */
export interface IntentOwner {
  /** The payment intent's id. */
  readonly id: string;
  readonly invoiceId?: string;
  readonly sessionId?: string;
}

/** The answer that a key was given, kept whether it was a success or not. */
export interface SavedAnswer {
  /** The idempotency key. */
  readonly id: string;
  readonly fingerprint: string;
  readonly status: number;
  readonly body: object;
  readonly requestId: string;
  readonly savedAt: number;
}

/** An event on its way to the endpoint. */
export interface Delivery {
  /** The event's id. */
  readonly id: string;
  readonly attempts: number;
  /** Unix milliseconds. */
  readonly nextAt: number;
  readonly state: 'pending' | 'delivered' | 'lost' | 'given_up';
}
