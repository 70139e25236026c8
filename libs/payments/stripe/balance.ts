import type { Currency } from '#libs/kernel';
import type { BalanceMovement, BalanceProvider, MovementKind, Payout } from '../port-balance.ts';
import { createdSince, type StripeCaller } from './caller.ts';
import { idOf } from './mapping.ts';
import type { Stripe } from './types.ts';

const MOST_AT_ONCE = 100;

/** Stripe's balance, its transactions and payouts behind the port. */
export class StripeBalance implements BalanceProvider {
  readonly #caller: StripeCaller;

  constructor(caller: StripeCaller) {
    this.#caller = caller;
  }

  fetch(): ReturnType<BalanceProvider['fetch']> {
    return this.#caller.call(async (stripe) => {
      const { available, pending } = await stripe.balance.retrieve();
      const sums = new Map<Currency, number>();
      for (const { amount, currency } of [...available, ...pending]) {
        sums.set(currency as Currency, (sums.get(currency as Currency) ?? 0) + amount);
      }
      return [...sums].map(([currency, amountMinor]) => ({ currency, amountMinor }));
    });
  }

  movements({ since, after }: Parameters<BalanceProvider['movements']>[0]) {
    return this.#caller.call(async (stripe) => {
      const { data, has_more: hasMore } = await stripe.balanceTransactions.list({
        limit: MOST_AT_ONCE,
        expand: ['data.source'],
        ...(since ? createdSince(since) : {}),
        ...(after === undefined ? {} : { starting_after: after }),
      });
      return { movements: data.map(movementOf), hasMore };
    });
  }

  fetchPayout(payoutId: string): Promise<Payout> {
    return this.#caller.find('payout_not_found', payoutId, async (stripe) =>
      payoutOf(await stripe.payouts.retrieve(payoutId)),
    );
  }
}

/** Source: docs.stripe.com/reports/balance-transaction-types. */
const KINDS: Readonly<Record<string, MovementKind>> = {
  charge: 'payment',
  payment: 'payment',
  refund: 'refund',
  payment_refund: 'refund',
  refund_failure: 'refund_failure',
  payment_failure_refund: 'refund_failure',
  payout: 'payout',
  payout_cancel: 'payout',
  payout_failure: 'payout',
  topup: 'payout',
  topup_reversal: 'payout',
  stripe_fee: 'fee',
  stripe_fx_fee: 'fee',
  tax_fee: 'fee',
};
const OF_DISPUTES = ['dispute', 'dispute_reversal'];

/** @param transaction with `source` expanded, for the payment behind it. */
function movementOf(transaction: Stripe.BalanceTransaction): BalanceMovement {
  const { source, type } = transaction;
  const isDispute = OF_DISPUTES.includes(transaction.reporting_category);
  const payment =
    typeof source === 'object' && source && 'payment_intent' in source ? source.payment_intent : null;
  return {
    movementId: transaction.id,
    kind: isDispute ? 'dispute' : (KINDS[type] ?? 'other'),
    type,
    amountMinor: transaction.amount,
    feeMinor: transaction.fee,
    currency: transaction.currency as Currency,
    sourceId: idOf(source),
    paymentId: idOf(payment),
    createdAt: new Date(transaction.created * 1000),
  };
}

const PAYOUT_STATUS: Readonly<Record<string, Payout['status']>> = {
  paid: 'paid',
  failed: 'failed',
  canceled: 'cancelled',
};

function payoutOf(payout: Stripe.Payout): Payout {
  return {
    payoutId: payout.id,
    status: PAYOUT_STATUS[payout.status] ?? 'under_way',
    amountMinor: payout.amount,
    currency: payout.currency as Currency,
    failure: payout.failure_message ?? undefined,
  };
}
