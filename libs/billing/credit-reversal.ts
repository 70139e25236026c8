import type { EntityManager } from 'typeorm';
import { ensureBooks, lockBooks } from './billing-accounts.ts';
import { type CreditSource, type NewCredit, useCredit } from './credit.ts';
import { credit, debit, isPosted, type LedgerEntry, post } from './ledger.ts';
import { noteSettlement } from './settlements.ts';

/** Credit that money stands behind. What was given away is not taken for money that went back. */
const PAID: readonly CreditSource[] = ['payment', 'refund'];

/**
 * The provider gave money back to the card: it is taken from the credit, and what has been spent of it meanwhile is
 * owed again. @returns false on a repetition
 */
export async function takeBackPayment(manager: EntityManager, refund: NewCredit): Promise<boolean> {
  const { accountId, amountMinor, cause, at, currency } = refund;
  await ensureBooks(manager, accountId, currency, at);
  await lockBooks(manager, accountId, 'money', currency);
  if (await isPosted(manager, cause)) return false;
  const entries = await reverseCredit(manager, refund);
  return post(manager, {
    cause,
    at,
    currency,
    entries: [...entries, credit('stripe_clearing', amountMinor)],
  });
}

/**
 * Money that had become credit is gone. What is left of the credit is taken; what has been spent is owed again on the
 * invoices that credit has paid, the last one first, and so it is asked for like any other debt. The caller holds the
 * account's books for `money`, and posts what is answered.
 */
export async function reverseCredit(
  manager: EntityManager,
  gone: Pick<NewCredit, 'accountId' | 'amountMinor' | 'cause' | 'at'>,
): Promise<LedgerEntry[]> {
  const { accountId: customerId, amountMinor, cause, at } = gone;
  const use = { accountId: customerId, upToMinor: amountMinor, cause, at, only: PAID };
  const taken = await useCredit(manager, use);
  const owed = await reopen(manager, gone, amountMinor - taken);
  return [
    debit('customer_credit', taken, { customerId }),
    debit('receivable', owed, { customerId }),
    debit('receivable', amountMinor - taken - owed, { customerId, detail: 'refunded_credit' }),
  ];
}

/** Opens invoices again that credit has paid. @returns how much of `upToMinor` is owed on them */
async function reopen(
  manager: EntityManager,
  { accountId, cause, at }: Pick<NewCredit, 'accountId' | 'cause' | 'at'>,
  upToMinor: number,
): Promise<number> {
  if (upToMinor === 0) return 0;
  const paid = await manager.query<{ invoiceId: number; paidMinor: number }[]>(
    `SELECT s.invoice_id AS "invoiceId", sum(s.amount_minor)::bigint AS "paidMinor"
     FROM invoice_settlements s JOIN invoices i ON i.id = s.invoice_id
     WHERE i.account_id = $1 AND s.kind = 'credit'
     GROUP BY i.id, s.invoice_id HAVING sum(s.amount_minor) > 0 ORDER BY i.issued_at DESC, i.number DESC`,
    [accountId],
  );
  let left = upToMinor;
  for (const { invoiceId, paidMinor } of paid) {
    const amountMinor = Math.min(left, paidMinor);
    if (amountMinor === 0) break;
    left -= amountMinor;
    await noteSettlement(manager, { invoiceId, kind: 'credit', amountMinor: -amountMinor, cause, at });
  }
  return upToMinor - left;
}
