import type { EntityManager } from 'typeorm';
import { newId } from '#libs/kernel';
import type { BillingAccount } from './billing-accounts.ts';
import { addLot, useCredit } from './credit.ts';
import { lockInvoice } from './invoices.ts';
import { assertAmount, type Cause, credit, debit, isPosted, type LedgerTransaction, post } from './ledger.ts';

export type SettlementKind = 'credit' | 'payment' | 'credit_note' | 'write_off' | 'dispute';

export interface Settlement extends LedgerTransaction {
  readonly invoiceId: number;
  readonly kind: SettlementKind;
  /** Below zero where it opens the invoice again. */
  readonly amountMinor: number;
}

/** Money that has moved because of an invoice, told by the provider's object that moved it. */
export interface InvoiceMoney {
  readonly invoiceId: number;
  readonly amountMinor: number;
  readonly cause: Cause;
  readonly at: Date;
}

/**
 * Posts what becomes of an invoice and notes it there. The caller holds the account's books for `money`.
 * @returns false when its cause has been posted already
 */
export async function settle(manager: EntityManager, settlement: Settlement): Promise<boolean> {
  if (!(await post(manager, settlement))) return false;
  await noteSettlement(manager, settlement);
  return true;
}

/**
 * An invoice was paid, in whole or in part; what had been given up of it is owed again by what is paid now, and what was
 * paid beyond becomes credit. Call it in a transaction, as often as it is told: a cause counts once.
 * @param into where the money lies now: `stripe_clearing` unless told
 * @returns false on a repetition
 * @throws BillingError `invoice_not_found`, `amount_malformed`
 */
export async function recordPayment(
  manager: EntityManager,
  payment: InvoiceMoney & { readonly into?: 'stripe_clearing' | 'bank' },
): Promise<boolean> {
  assertAmount(payment.amountMinor);
  const { invoice, books } = await lockInvoice(manager, payment.invoiceId);
  if (await isPosted(manager, payment.cause)) return false;
  const { accountId: customerId, currency } = books;
  const open = Math.min(payment.amountMinor, invoice.openMinor);
  const settled = open + (await recover(manager, books, payment, payment.amountMinor - open));
  const beyond = payment.amountMinor - settled;
  await post(manager, {
    ...payment,
    currency,
    entries: [
      debit(payment.into ?? 'stripe_clearing', payment.amountMinor),
      credit('receivable', settled, { customerId }),
      credit('customer_credit', beyond, { customerId }),
    ],
  });
  if (settled > 0) await noteSettlement(manager, { ...payment, kind: 'payment', amountMinor: settled });
  if (beyond > 0) {
    const lot = { ...payment, accountId: customerId, currency, amountMinor: beyond };
    await addLot(manager, { ...lot, source: 'payment', note: 'Paid beyond an invoice' });
  }
  await raiseTier(manager, customerId);
  return true;
}

/**
 * Pays what is open of an invoice with the account's credit, as far as that reaches. Call it in a transaction.
 * @returns what was paid, in minor units; 0 when nothing is open or no credit is there
 */
export async function payWithCredit(
  manager: EntityManager,
  { invoiceId, at }: { readonly invoiceId: number; readonly at: Date },
): Promise<number> {
  const { invoice, books } = await lockInvoice(manager, invoiceId);
  return creditInvoice(manager, books, { invoiceId, openMinor: invoice.openMinor, at });
}

/** The same for a caller who holds the account's books for `money` and knows what is open. */
export async function creditInvoice(
  manager: EntityManager,
  { accountId, currency }: Pick<BillingAccount, 'accountId' | 'currency'>,
  { invoiceId, openMinor, at }: { readonly invoiceId: number; readonly openMinor: number; readonly at: Date },
): Promise<number> {
  if (openMinor === 0) return 0;
  // Several times may credit be used on one invoice; the lock and what is open keep each from being repeated.
  const cause = { kind: 'invoice_credit', id: `${invoiceId}/${newId()}` };
  const amountMinor = await useCredit(manager, { accountId, upToMinor: openMinor, cause, at });
  if (amountMinor === 0) return 0;
  const of = { customerId: accountId };
  const entries = [debit('customer_credit', amountMinor, of), credit('receivable', amountMinor, of)];
  await settle(manager, { invoiceId, kind: 'credit', amountMinor, cause, at, currency, entries });
  return amountMinor;
}

/** What is open of an invoice is given up. @returns what was given up, in minor units; 0 when nothing was open */
export async function writeOff(
  manager: EntityManager,
  given: { readonly invoiceId: number; readonly at: Date },
): Promise<number> {
  const { invoice, books } = await lockInvoice(manager, given.invoiceId);
  const { accountId: customerId, currency } = books;
  const amountMinor = invoice.openMinor;
  if (amountMinor === 0) return 0;
  await settle(manager, {
    ...given,
    kind: 'write_off',
    amountMinor,
    // An invoice that a dispute opens again can be given up again.
    cause: { kind: 'invoice_written_off', id: `${given.invoiceId}/${given.at.getTime()}` },
    currency,
    entries: [debit('write_offs', amountMinor), credit('receivable', amountMinor, { customerId })],
  });
  return amountMinor;
}

export async function noteSettlement(
  manager: EntityManager,
  settlement: InvoiceMoney & { readonly kind: SettlementKind },
): Promise<void> {
  await manager.query(
    `INSERT INTO invoice_settlements (invoice_id, kind, cause_id, amount_minor, settled_at)
     VALUES ($1, $2, $3, $4, $5)`,
    [settlement.invoiceId, settlement.kind, settlement.cause.id, settlement.amountMinor, settlement.at],
  );
}

/** Takes back the giving up of so much of an invoice, because it is paid after all. @returns how much that was */
async function recover(
  manager: EntityManager,
  { accountId: customerId, currency }: BillingAccount,
  { invoiceId, cause, at }: InvoiceMoney,
  upToMinor: number,
): Promise<number> {
  if (upToMinor === 0) return 0;
  const [row] = await manager.query<{ givenUp: number }[]>(
    `SELECT coalesce(sum(amount_minor), 0)::bigint AS "givenUp" FROM invoice_settlements
     WHERE invoice_id = $1 AND kind = 'write_off'`,
    [invoiceId],
  );
  const amountMinor = Math.min(upToMinor, row?.givenUp ?? 0);
  if (amountMinor === 0) return 0;
  await settle(manager, {
    invoiceId,
    kind: 'write_off',
    amountMinor: -amountMinor,
    cause: { kind: 'write_off_recovered', id: `${cause.kind}/${cause.id}` },
    at,
    currency,
    entries: [debit('receivable', amountMinor, { customerId }), credit('write_offs', amountMinor)],
  });
  return amountMinor;
}

async function raiseTier(manager: EntityManager, accountId: number): Promise<void> {
  await manager.query(
    `UPDATE billing_accounts SET tier = 'paid_once' WHERE account_id = $1 AND tier = 'new'`,
    [accountId],
  );
}
