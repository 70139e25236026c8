import type { EntityManager } from 'typeorm';
import type { Currency } from '#libs/kernel';
import type { HoldRowStatus } from './hold.record.ts';
import type { ProviderEventsListener } from './provider-events.listener.ts';

/** Money that moved for an order. `providerId` names the hold at the provider. */
export interface MovedMoney {
  readonly accountId: number;
  readonly orderId: number;
  /** What moved now, above zero. */
  readonly amountMinor: number;
  readonly currency: Currency;
  readonly providerId: string;
}

/**
 * Who is told what became of a payment, in the same transaction that records it: what is told once is recorded
 * once, whatever is repeated. Provided by the app under {@link PAYMENTS_LISTENER}.
 */
export interface PaymentsListener extends ProviderEventsListener {
  /** Money came in; it becomes the account's credit. */
  onCaptured(manager: EntityManager, money: MovedMoney): Promise<void>;
  /** Captured money went back to the card; the credit goes with it. */
  onRefunded(manager: EntityManager, money: MovedMoney): Promise<void>;
  /** A hold's state changed, by a call of ours or by an event: whoever waits for it may look again. */
  onHoldChanged(manager: EntityManager, hold: { orderId: number; status: HoldRowStatus }): Promise<void>;
}

export const PAYMENTS_LISTENER = Symbol('PaymentsListener');
