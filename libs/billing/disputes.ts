import type { EntityManager } from 'typeorm';
import { lockBooks } from './billing-accounts.ts';
import { coverRefunds } from './card-refunds.ts';
import { refundsPayableMinor } from './collected.ts';
import { reverseCredit } from './credit-reversal.ts';
import { assertAmount, type Cause, credit, debit, isPosted, post } from './ledger.ts';
import { noteSettlement } from './settlements.ts';

/** Money of a payment that a bank holds back. */
export interface DisputedMoney {
  readonly accountId: number;
  readonly currency: string;
  readonly amountMinor: number;
  readonly cause: Cause;
  readonly at: Date;
}

export interface EndedDispute extends DisputedMoney {
  readonly won: boolean;
  /** The provider's payment, to which refunds may have been promised. */
  readonly paymentId?: string;
  /** What the payment had paid, the oldest first; none where it was for credit. */
  readonly invoiceIds: readonly number[];
}

/**
 * The bank holds a payment back. The amount is frozen: no longer ours at the provider, and not owed by the customer
 * either until the dispute ends. @returns false on a repetition
 */
export async function openDispute(manager: EntityManager, disputed: DisputedMoney): Promise<boolean> {
  assertAmount(disputed.amountMinor);
  const { accountId: customerId, currency, amountMinor } = disputed;
  await lockBooks(manager, customerId, 'money', currency);
  return post(manager, {
    ...disputed,
    entries: [debit('disputed', amountMinor, { customerId }), credit('stripe_clearing', amountMinor)],
  });
}

/**
 * A dispute ends. Won: the money is ours again. Lost: it is the customer's; refunds that were promised to the payment
 * have been made by that, and for the rest the invoices that it had paid are open again, the last one first. What had
 * become credit is taken from the credit, and owed where it has been spent.
 * @returns false on a repetition
 */
export async function closeDispute(manager: EntityManager, ended: EndedDispute): Promise<boolean> {
  assertAmount(ended.amountMinor);
  const { accountId: customerId, currency, amountMinor, cause, at } = ended;
  await lockBooks(manager, customerId, 'money', currency);
  if (await isPosted(manager, cause)) return false;
  const frozen = credit('disputed', amountMinor, { customerId });
  if (ended.won) return post(manager, { ...ended, entries: [debit('stripe_clearing', amountMinor), frozen] });
  const covered = await coveredRefunds(manager, ended);
  const reopened = await shareOut(manager, ended, amountMinor - covered);
  const owed = reopened.reduce((sum, one) => sum + one.amountMinor, 0);
  const gone = { accountId: customerId, amountMinor: amountMinor - covered - owed, cause, at };
  const ofCredit = await reverseCredit(manager, gone);
  const entries = [
    debit('refunds_payable', covered, { customerId }),
    debit('receivable', owed, { customerId }),
    ...ofCredit,
    frozen,
  ];
  await post(manager, { ...ended, entries });
  // Who has a bank take a payment back is as new as on the first day: less may stand open before it is invoiced.
  await manager.query(
    `UPDATE billing_accounts SET tier = 'new' WHERE account_id = $1 AND tier = 'paid_once'`,
    [customerId],
  );
  for (const one of reopened) {
    await noteSettlement(manager, { ...one, kind: 'dispute', amountMinor: -one.amountMinor, cause, at });
  }
  return true;
}

/** What of a lost payment was promised to its owner anyway, and is still owed to them. */
async function coveredRefunds(
  manager: EntityManager,
  { accountId, currency, paymentId, amountMinor, at }: EndedDispute,
): Promise<number> {
  if (paymentId === undefined) return 0;
  const upToMinor = Math.min(amountMinor, await refundsPayableMinor(manager, accountId, currency));
  return coverRefunds(manager, { paymentId, upToMinor, at });
}

/** What of a lost payment each invoice gets to be owed again: no more than payments have paid of it. */
async function shareOut(
  manager: EntityManager,
  { invoiceIds }: EndedDispute,
  amountMinor: number,
): Promise<{ invoiceId: number; amountMinor: number }[]> {
  const paid = await manager.query<{ invoiceId: number; paidMinor: number }[]>(
    `SELECT s.invoice_id AS "invoiceId", sum(s.amount_minor)::bigint AS "paidMinor"
     FROM invoice_settlements s JOIN invoices i ON i.id = s.invoice_id
     WHERE s.invoice_id = ANY($1) AND s.kind IN ('payment', 'dispute')
     GROUP BY i.id, s.invoice_id ORDER BY i.issued_at DESC, i.number DESC`,
    [invoiceIds],
  );
  let left = amountMinor;
  return paid.flatMap(({ invoiceId, paidMinor }) => {
    const share = Math.min(left, paidMinor);
    left -= share;
    return share > 0 ? [{ invoiceId, amountMinor: share }] : [];
  });
}
