import type { Currency } from '#libs/kernel';
import type {
  BalanceChange,
  Dispute,
  DisputeStatus,
  Payment,
  PaymentStatus,
  Refund,
  TopUp,
  TopUpStatus,
} from '../port-money.ts';
import { declineOf } from './errors.ts';
import { dateOf } from './invoice-mapping.ts';
import { ACCOUNT_KEY, idOf, ORDER_KEY, ownId, REFERENCE_KEY } from './mapping.ts';
import type { Stripe } from './types.ts';

/** @param intent with `latest_charge` expanded, for what was refunded. */
export function paymentOf(intent: Stripe.PaymentIntent, invoiceId?: string): Payment {
  const charge = typeof intent.latest_charge === 'object' ? intent.latest_charge : null;
  const error = intent.last_payment_error;
  return {
    paymentId: intent.id,
    customerId: idOf(intent.customer),
    accountId: ownId(intent.metadata, ACCOUNT_KEY),
    reference: intent.metadata[REFERENCE_KEY],
    orderId: ownId(intent.metadata, ORDER_KEY),
    invoiceId,
    status: paymentStatusOf(intent),
    amountMinor: intent.amount,
    currency: intent.currency as Currency,
    receivedMinor: intent.amount_received,
    refundedMinor: charge?.captured ? charge.amount_refunded : 0,
    isDisputed: charge?.disputed ?? false,
    decline: error ? declineOf(error) : undefined,
    createdAt: new Date(intent.created * 1000),
  };
}

function paymentStatusOf(intent: Stripe.PaymentIntent): PaymentStatus {
  switch (intent.status) {
    case 'succeeded':
      return 'succeeded';
    case 'processing':
      return 'processing';
    case 'requires_action':
      return 'requires_action';
    case 'canceled':
      return 'cancelled';
    default:
      return intent.last_payment_error ? 'declined' : 'opened';
  }
}

/** @param session with `payment_intent` expanded, to tell a debit that failed from one under way. */
export function topUpOf(session: Stripe.Checkout.Session): TopUp {
  return {
    topUpId: session.id,
    customerId: idOf(session.customer) ?? '',
    accountId: ownId(session.metadata, ACCOUNT_KEY),
    reference: session.metadata?.[REFERENCE_KEY],
    status: topUpStatusOf(session),
    amountMinor: session.amount_total ?? 0,
    currency: session.currency as Currency,
    paymentId: idOf(session.payment_intent),
    url: session.url ?? undefined,
  };
}

function topUpStatusOf(session: Stripe.Checkout.Session): TopUpStatus {
  if (session.status === 'open') return 'open';
  if (session.status === 'expired') return 'expired';
  if (session.payment_status === 'paid') return 'paid';
  const intent = typeof session.payment_intent === 'object' ? session.payment_intent : null;
  return intent?.last_payment_error ? 'failed' : 'processing';
}

export function refundOf(refund: Stripe.Refund): Refund {
  const status = refund.status === 'canceled' ? 'cancelled' : refund.status;
  return {
    refundId: refund.id,
    paymentId: idOf(refund.payment_intent),
    reference: refund.metadata?.[REFERENCE_KEY],
    amountMinor: refund.amount,
    currency: refund.currency as Currency,
    status: status === 'succeeded' || status === 'failed' || status === 'cancelled' ? status : 'pending',
    createdAt: new Date(refund.created * 1000),
  };
}

/** Inquiries (`warning_…`) move no money: not when they are opened, and not when they are closed. */
const DISPUTE_STATUS: Readonly<Record<string, DisputeStatus>> = {
  warning_needs_response: 'inquiry',
  warning_under_review: 'inquiry',
  won: 'won',
  warning_closed: 'won',
  prevented: 'won',
  lost: 'lost',
};

export function disputeOf(dispute: Stripe.Dispute): Dispute {
  return {
    disputeId: dispute.id,
    paymentId: idOf(dispute.payment_intent),
    status: DISPUTE_STATUS[dispute.status] ?? 'open',
    amountMinor: dispute.amount,
    currency: dispute.currency as Currency,
    reason: dispute.reason,
    answerBy: dateOf(dispute.evidence_details.due_by),
    createdAt: new Date(dispute.created * 1000),
  };
}

export function balanceChangeOf(change: Stripe.CustomerBalanceTransaction): BalanceChange {
  return { changeId: change.id, amountMinor: change.amount, balanceMinor: change.ending_balance };
}
