import type { EntityManager } from 'typeorm';
import { lockBooks } from './billing-accounts.ts';
import type { Collection } from './collections.ts';
import { creditPayment } from './credit.ts';
import { takeBackPayment } from './credit-reversal.ts';
import { type Cause, credit, debit, post } from './ledger.ts';
import { recordPayment, writeOff } from './settlements.ts';

/** Money that a payment at the provider has brought in. */
export interface ReceivedMoney {
  readonly paymentId: string;
  readonly amountMinor: number;
  readonly at: Date;
}

/**
 * A collection was paid: each invoice gets its part. Call it in a transaction, as often as it is told: a payment counts
 * once. @returns whether it was news
 */
export async function recordCollected(
  manager: EntityManager,
  { accountId, parts }: Pick<Collection, 'accountId' | 'parts'>,
  { paymentId, amountMinor, at }: ReceivedMoney,
  into: 'stripe_clearing' | 'bank' = 'stripe_clearing',
): Promise<boolean> {
  await lockBooks(manager, accountId, 'money');
  let left = amountMinor;
  let isNews = false;
  for (const [index, part] of parts.entries()) {
    const share = index === parts.length - 1 ? left : Math.min(left, part.amountMinor);
    left -= share;
    if (share === 0) continue;
    const cause = { kind: 'invoice_payment', id: `${paymentId}/${part.invoiceId}` };
    const { invoiceId } = part;
    isNews = (await recordPayment(manager, { invoiceId, amountMinor: share, cause, at, into })) || isNews;
  }
  return isNews;
}

/** The provider gives a collection up: so do we what is open of its invoices. @returns what was given up */
export async function giveUpCollected(
  manager: EntityManager,
  { parts }: Pick<Collection, 'parts'>,
  at: Date,
): Promise<number> {
  let sum = 0;
  for (const { invoiceId } of parts) sum += await writeOff(manager, { invoiceId, at });
  return sum;
}

/** What the provider has given back of a payment, in all, by now. */
export interface RefundedMoney {
  readonly accountId: number;
  readonly currency: string;
  readonly paymentId: string;
  readonly refundedMinor: number;
  /** What the payment was for: refunds of invoices are owed by a credit note, those of credit take it away. */
  readonly of: 'invoices' | 'credit';
  readonly at: Date;
}

/**
 * Posts what has been given back of a payment since it was last told. The sum may go down again, when a refund fails:
 * then the difference is ours, and still owed. Call it with sums that were read in the order in which they are told.
 * @returns the difference, in minor units
 */
export async function recordRefunded(manager: EntityManager, refunded: RefundedMoney): Promise<number> {
  const { accountId, currency, paymentId, at } = refunded;
  await lockBooks(manager, accountId, 'money', currency);
  const known = await refundsOf(manager, paymentId);
  const amountMinor = refunded.refundedMinor - known.minor;
  if (amountMinor === 0) return 0;
  const cause: Cause = { kind: 'payment_refund', id: `${paymentId}/${known.count + 1}` };
  const money = { accountId, currency, amountMinor: Math.abs(amountMinor), cause, at };
  if (refunded.of === 'credit') await (amountMinor > 0 ? takeBackPayment : creditPayment)(manager, money);
  else await post(manager, { ...money, entries: refundEntries(accountId, amountMinor) });
  return amountMinor;
}

/** What is not yet sent of the refunds that credit notes promise to cards; below zero where more was sent. */
export async function refundsPayableMinor(
  manager: EntityManager,
  accountId: number,
  currency: string,
): Promise<number> {
  const [row] = await manager.query<{ owed: number }[]>(
    `SELECT -coalesce(sum(amount), 0)::bigint AS owed FROM ledger_entries
     WHERE account = 'refunds_payable' AND customer_id = $1 AND currency = $2`,
    [accountId, currency],
  );
  return row?.owed ?? 0;
}

function refundEntries(customerId: number, amountMinor: number) {
  return [debit('refunds_payable', amountMinor, { customerId }), credit('stripe_clearing', amountMinor)];
}

async function refundsOf(
  manager: EntityManager,
  paymentId: string,
): Promise<{ minor: number; count: number }> {
  const [row] = await manager.query<{ minor: number; count: number }[]>(
    `SELECT -coalesce(sum(e.amount), 0)::bigint AS minor, count(*)::int AS count
     FROM ledger_transactions t JOIN ledger_entries e ON e.transaction_id = t.id AND e.account = 'stripe_clearing'
     WHERE t.cause_kind = 'payment_refund' AND split_part(t.cause_id, '/', 1) = $1`,
    [paymentId],
  );
  return row ?? { minor: 0, count: 0 };
}
