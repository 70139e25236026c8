import type { Currency } from '#libs/kernel';

/** Our balance at the provider: what is there, and each movement of it. */
export interface BalanceProvider {
  /** What is there now, available and on its way there, by currency; those without any are left out. */
  fetch(): Promise<readonly { readonly currency: Currency; readonly amountMinor: number }[]>;
  /** A page of the movements created since a moment, or of all, newest first; those that are `after` one of them. */
  movements(page: { readonly since?: Date | undefined; readonly after?: string | undefined }): Promise<{
    readonly movements: readonly BalanceMovement[];
    readonly hasMore: boolean;
  }>;
  /** @throws PaymentError `payout_not_found`. */
  fetchPayout(payoutId: string): Promise<Payout>;
}

/**
 * `payment`, `refund`, `refund_failure` and `dispute` come of an object that the books follow by itself. `payout`: to our
 * bank or back from there. `fee`: a charge of the provider's for something else than a payment. `other`: all that is
 * none of these.
 */
export type MovementKind = 'payment' | 'refund' | 'refund_failure' | 'dispute' | 'payout' | 'fee' | 'other';

export interface BalanceMovement {
  readonly movementId: string;
  readonly kind: MovementKind;
  /** As the provider names it. */
  readonly type: string;
  /** Before the fee; above zero comes in. */
  readonly amountMinor: number;
  readonly feeMinor: number;
  readonly currency: Currency;
  /** The object that moved it: a charge, a refund, a dispute, a payout. */
  readonly sourceId: string | undefined;
  /** The payment that came in, or that was given back or disputed. */
  readonly paymentId: string | undefined;
  readonly createdAt: Date;
}

export interface Payout {
  readonly payoutId: string;
  readonly status: 'under_way' | 'paid' | 'failed' | 'cancelled';
  readonly amountMinor: number;
  readonly currency: Currency;
  /** Why it failed, in the provider's words. */
  readonly failure: string | undefined;
}
