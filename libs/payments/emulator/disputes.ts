import { z } from 'zod';
import type { Stripe } from '../stripe/types.ts';
import { moveBalance } from './balance.ts';
import type { Due } from './due.ts';
import { expand, flag, metadata, page, range, type ShapeOf, text } from './form.ts';
import { isWithin, listPage, mergeMetadata } from './paging.ts';
import { behaviourOfMethod } from './payment-methods.ts';
import { invalid } from './problem.ts';
import { route } from './routes.ts';
import { idOf, reaction, stripeId, type World } from './world.ts';

type Dispute = Stripe.Dispute;

const evidenceShape = z.partialRecord(
  z.enum([
    'access_activity_log',
    'customer_communication',
    'customer_email_address',
    'customer_name',
    'product_description',
    'receipt',
    'refund_policy_disclosure',
    'refund_refusal_explanation',
    'service_date',
    'uncategorized_text',
  ]),
  z.string().max(20_000),
);
const updateShape = z.strictObject({
  evidence: evidenceShape.optional(),
  submit: flag.optional(),
  metadata: metadata.optional(),
  expand: expand.optional(),
} satisfies ShapeOf<Stripe.DisputeUpdateParams>);
const listShape = z.strictObject({
  ...page,
  charge: text.optional(),
  payment_intent: text.optional(),
  created: range.optional(),
} satisfies ShapeOf<Stripe.DisputeListParams>);
const readShape = z.strictObject({ expand: expand.optional() });

/** How long a shop may answer; after that the dispute is lost. */
const ANSWER_SECONDS = 9 * 86_400;
const OPEN = ['needs_response', 'under_review'];
const INQUIRY = ['warning_needs_response', 'warning_under_review'];

/** What Stripe's tests write as evidence, and what comes of it. Source: docs.stripe.com/testing, "Disputes". */
const OUTCOMES: Readonly<Record<string, 'won' | 'lost'>> = {
  winning_evidence: 'won',
  losing_evidence: 'lost',
};

function money(world: World, dispute: Dispute, amount: number): Stripe.BalanceTransaction {
  const isTaken = amount < 0;
  return moveBalance(world, {
    type: 'adjustment',
    category: isTaken ? 'dispute' : 'dispute_reversal',
    amount,
    fee: isTaken ? world.fees.disputeMinor : 0,
    currency: dispute.currency,
    source: dispute.id,
    description: `Chargeback ${isTaken ? 'withdrawal' : 'reversal'} for ${idOf(dispute.charge)}`,
  });
}

/**
 * A customer's bank takes a payment back until it is decided who is right. `amount` may be a part of it. An inquiry only
 * asks: it takes nothing, and leaves the charge to be refunded. Source: docs.stripe.com/disputes/how-disputes-work.
 * @throws StripeProblem 400 for a charge that is not paid, is disputed already, or has not so much left.
 */
export function openDispute(
  world: World,
  charge: Stripe.Charge,
  { reason, amount, isInquiry = false }: { reason: string; amount?: number | undefined; isInquiry?: boolean },
): Dispute {
  const left = charge.amount_captured - charge.amount_refunded;
  const asked = amount ?? left;
  if (!charge.captured || charge.disputed || asked < 1 || asked > left) {
    throw invalid(`Charge ${charge.id} cannot be disputed for ${asked}: ${left} of it is left.`, {
      param: 'amount',
    });
  }
  const fresh = newDispute(world, charge, reason, asked);
  world.store.put('charge', { ...charge, disputed: true });
  if (isInquiry) {
    const inquiry = { ...fresh, status: 'warning_needs_response', is_charge_refundable: true } as const;
    world.emit('charge.dispute.created', world.store.put('dispute', inquiry));
    return inquiry;
  }
  const dispute = world.store.put('dispute', withdrawn(world, fresh));
  world.emit('charge.dispute.created', dispute);
  world.emit('charge.dispute.funds_withdrawn', dispute);
  return dispute;
}

/** An inquiry was not answered to the bank's satisfaction: it becomes a dispute. @throws StripeProblem 400. */
export function escalateInquiry(world: World, inquiry: Dispute): Dispute {
  if (!INQUIRY.includes(inquiry.status)) throw invalid(`This dispute is already ${inquiry.status}.`);
  const plain = { ...inquiry, status: 'needs_response', is_charge_refundable: false } as const;
  const dispute = world.store.put('dispute', withdrawn(world, plain));
  world.emit('charge.dispute.updated', dispute);
  world.emit('charge.dispute.funds_withdrawn', dispute);
  return dispute;
}

function withdrawn(world: World, dispute: Dispute): Dispute {
  return { ...dispute, balance_transactions: [money(world, dispute, -dispute.amount)] };
}

function newDispute(world: World, charge: Stripe.Charge, reason: string, amount: number): Dispute {
  const now = world.now(charge.customer);
  return {
    id: stripeId('du'),
    object: 'dispute',
    amount,
    balance_transactions: [],
    charge: charge.id,
    created: now,
    currency: charge.currency,
    enhanced_eligibility_types: [],
    evidence: NO_EVIDENCE,
    evidence_details: {
      due_by: now + ANSWER_SECONDS,
      enhanced_eligibility: {},
      has_evidence: false,
      past_due: false,
      submission_count: 0,
      submission_method: 'not_submitted',
    },
    intended_submission_method: null,
    is_charge_refundable: false,
    livemode: false,
    metadata: {},
    network_reason_code: '10.4',
    payment_intent: charge.payment_intent,
    payment_method_details: {
      card: { brand: 'visa', case_type: 'chargeback', network: 'visa', network_reason_code: '10.4' },
      type: 'card',
    },
    reason,
    status: 'needs_response',
  };
}

const NO_EVIDENCE: Stripe.Dispute.Evidence = {
  access_activity_log: null,
  billing_address: null,
  cancellation_policy: null,
  cancellation_policy_disclosure: null,
  cancellation_rebuttal: null,
  customer_communication: null,
  customer_email_address: null,
  customer_name: null,
  customer_purchase_ip: null,
  customer_signature: null,
  duplicate_charge_documentation: null,
  duplicate_charge_explanation: null,
  duplicate_charge_id: null,
  enhanced_evidence: {},
  product_description: null,
  receipt: null,
  refund_policy: null,
  refund_policy_disclosure: null,
  refund_refusal_explanation: null,
  service_date: null,
  service_documentation: null,
  shipping_address: null,
  shipping_carrier: null,
  shipping_date: null,
  shipping_documentation: null,
  shipping_tracking_number: null,
  uncategorized_file: null,
  uncategorized_text: null,
};

/** Ends a dispute. Won: the money comes back. An inquiry just ends. @throws StripeProblem 400 where it is over. */
export function closeDispute(world: World, dispute: Dispute, outcome: 'won' | 'lost'): Dispute {
  if (INQUIRY.includes(dispute.status)) return closeInquiry(world, dispute);
  if (!OPEN.includes(dispute.status)) throw invalid(`This dispute is already ${dispute.status}.`);
  const back = outcome === 'won' ? [money(world, dispute, dispute.amount)] : [];
  const closed = world.store.put('dispute', {
    ...dispute,
    status: outcome,
    balance_transactions: [...dispute.balance_transactions, ...back],
  });
  if (outcome === 'won') {
    const charge = world.find('charge', idOf(dispute.charge));
    world.store.put('charge', { ...charge, disputed: false });
    world.emit('charge.dispute.funds_reinstated', closed);
  }
  world.emit('charge.dispute.closed', closed);
  return closed;
}

function closeInquiry(world: World, inquiry: Dispute): Dispute {
  const closed = world.store.put('dispute', { ...inquiry, status: 'warning_closed' });
  world.store.put('charge', { ...world.find('charge', idOf(inquiry.charge)), disputed: false });
  world.emit('charge.dispute.closed', closed);
  return closed;
}

function update(world: World, params: z.infer<typeof updateShape>, { id }: { id: string }): Dispute {
  const old = world.find('dispute', id, 'dispute');
  if (old.status !== 'needs_response') throw invalid(`This dispute is already ${old.status}.`);
  const isSubmitted = params.submit === true;
  const evidence = { ...old.evidence, ...params.evidence };
  const dispute = world.store.put('dispute', {
    ...old,
    evidence,
    metadata: mergeMetadata(old.metadata, params.metadata),
    status: isSubmitted ? 'under_review' : old.status,
    evidence_details: {
      ...old.evidence_details,
      has_evidence: Object.values(evidence).some((value) => typeof value === 'string'),
      submission_count: old.evidence_details.submission_count + (isSubmitted ? 1 : 0),
      submission_method: isSubmitted ? 'manual' : old.evidence_details.submission_method,
    },
  });
  world.emit('charge.dispute.updated', dispute);
  const outcome = isSubmitted ? OUTCOMES[evidence.uncategorized_text ?? ''] : undefined;
  return outcome ? closeDispute(world, dispute, outcome) : dispute;
}

/** Disputes that nobody answered in time. */
export function disputesDue(world: World): Due[] {
  return world.store.all('dispute').flatMap((dispute): Due[] => {
    const at = dispute.evidence_details.due_by;
    if (dispute.status !== 'needs_response' || at === null) return [];
    const { customer } = world.find('charge', idOf(dispute.charge));
    return [{ at, customer: customer ?? null, run: () => lose(world, dispute.id) }];
  });
}

function lose(world: World, id: string): void {
  const dispute = world.find('dispute', id);
  if (dispute.status === 'needs_response') closeDispute(world, dispute, 'lost');
}

/** Cards whose owners dispute each payment. */
const dispute = (world: World, charge: Stripe.Charge) => {
  if (charge.payment_method_details?.type !== 'card') return;
  const reason = behaviourOfMethod(world, String(charge.payment_method)).dispute;
  if (reason && charge.captured) openDispute(world, world.find('charge', charge.id), { reason });
};
/** Whether a bank has taken it, or a part of it, so that it cannot be refunded. */
export function isChargedBack(world: World, charge: Stripe.Charge): boolean {
  const of = world.store.all('dispute').filter((dispute) => idOf(dispute.charge) === charge.id);
  return of.some(({ status }) => OPEN.includes(status) || status === 'lost');
}

export const disputeReactions = [
  reaction<Stripe.Charge>('charge.succeeded', dispute),
  reaction<Stripe.Charge>('charge.captured', dispute),
];

export const disputeRoutes = [
  route('GET', '/v1/disputes', listShape, (world, params) =>
    listPage(
      world,
      'dispute',
      '/v1/disputes',
      params,
      (found) =>
        (params.charge === undefined || found.charge === params.charge) &&
        (params.payment_intent === undefined || found.payment_intent === params.payment_intent) &&
        isWithin(found.created, params.created),
    ),
  ),
  route('GET', '/v1/disputes/:id', readShape, (world, _params, { id }) =>
    world.find('dispute', id, 'dispute'),
  ),
  route('POST', '/v1/disputes/:id', updateShape, update),
  route('POST', '/v1/disputes/:id/close', readShape, (world, _params, { id }) =>
    closeDispute(world, world.find('dispute', id, 'dispute'), 'lost'),
  ),
];
