/** Events of the provider that mean something to Servery, by what they are about. All others are kept and ignored. */
export const EVENT_TYPES = {
  checkout: [
    'checkout.session.completed',
    'checkout.session.async_payment_succeeded',
    'checkout.session.async_payment_failed',
    'checkout.session.expired',
  ],
  payment: [
    'payment_intent.succeeded',
    'payment_intent.payment_failed',
    'payment_intent.canceled',
    'payment_intent.amount_capturable_updated',
    'charge.refunded',
  ],
  invoice: [
    'invoice.finalized',
    'invoice.paid',
    'invoice.payment_failed',
    'invoice.payment_action_required',
    'invoice.voided',
    'invoice.marked_uncollectible',
  ],
  dispute: [
    'charge.dispute.created',
    'charge.dispute.updated',
    'charge.dispute.funds_withdrawn',
    'charge.dispute.funds_reinstated',
    'charge.dispute.closed',
  ],
  refund: ['refund.updated', 'refund.failed', 'charge.refund.updated'],
  payout: ['payout.paid', 'payout.failed'],
  cards: ['setup_intent.succeeded', 'payment_method.attached', 'payment_method.detached', 'customer.updated'],
  customer: ['customer.deleted'],
} as const;

export type EventGroup = keyof typeof EVENT_TYPES;
export type EventType<G extends EventGroup = EventGroup> = (typeof EVENT_TYPES)[G][number];

const GROUP_OF = new Map<string, EventGroup>(
  Object.entries(EVENT_TYPES).flatMap(([group, types]) =>
    types.map((type) => [type, group as EventGroup] as const),
  ),
);

/** What an event of this type is about; undefined where it means nothing to us. */
export function eventGroupOf(type: string): EventGroup | undefined {
  return GROUP_OF.get(type);
}
