import type { EntityManager } from 'typeorm';
import type { EventType } from './event-types.ts';
import type { Payout } from './port-balance.ts';
import type { ProviderInvoice } from './port-invoices.ts';
import type { Dispute, Payment, Refund, TopUp } from './port-money.ts';

/** What every report of an event says of it. */
interface Told<T extends EventType> {
  /** `evt_…`: the same is told once, in the transaction that marks it as handled. */
  readonly eventId: string;
  readonly type: T;
}

/**
 * Who is told what became of money and cards at the provider. Each method runs in one transaction with the mark
 * that its event is handled, so what it writes with `manager` is written once per event, whatever is delivered
 * twice. Reports about one object come one after the other, each with the object as the provider has it now: an
 * old event about a new state tells the new state. Two events may tell the same state, so write by what the
 * object is, not by the type of the event. What throws is told again later.
 */
export interface ProviderEventsListener {
  onInvoice?(
    manager: EntityManager,
    told: Told<EventType<'invoice'>> & { invoice: ProviderInvoice },
  ): Promise<void>;
  /** Payments of invoices, top-ups and those off-session; holds of orders are told in their own way. */
  onPayment?(manager: EntityManager, told: Told<EventType<'payment'>> & { payment: Payment }): Promise<void>;
  onTopUp?(manager: EntityManager, told: Told<EventType<'checkout'>> & { topUp: TopUp }): Promise<void>;
  onDispute?(manager: EntityManager, told: Told<EventType<'dispute'>> & { dispute: Dispute }): Promise<void>;
  /** A refund has come to its end, or has come back from the bank. */
  onRefund?(manager: EntityManager, told: Told<EventType<'refund'>> & { refund: Refund }): Promise<void>;
  onPayout?(manager: EntityManager, told: Told<EventType<'payout'>> & { payout: Payout }): Promise<void>;
  /** An account's cards, or which of them is the default one, may have changed; ours are up to date already. */
  onCardsChanged?(
    manager: EntityManager,
    told: Told<EventType<'cards' | 'checkout' | 'customer'>> & { accountId: number },
  ): Promise<void>;
  /** The provider has forgotten the customer that stands for an account. */
  onCustomerDeleted?(
    manager: EntityManager,
    told: Told<EventType<'customer'>> & { accountId: number; customerId: string },
  ): Promise<void>;
}
