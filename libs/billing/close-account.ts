import type { DataSource, EntityManager } from 'typeorm';
import { runInTransaction } from '#libs/database';
import { newId } from '#libs/kernel';
import { BillingError } from './billing.errors.ts';
import { type BillingAccount, lockBooks } from './billing-accounts.ts';
import { nextMonth, toDate, toEpochSecond } from './calendar.ts';
import { nextNumber } from './document-number.ts';
import { insertLines, insertRoundingLine, LineTotals } from './invoice-lines.ts';
import type { InvoiceReason } from './invoices.ts';
import { credit, debit, post } from './ledger.ts';
import { lockPriceBook } from './price-book.ts';
import type { Period, Prices } from './rating.ts';
import { type BillingSettings, billingSettings } from './settings.ts';
import { creditInvoice } from './settlements.ts';
import { accountCharges, loadPrices } from './span-stream.ts';
import { type BillingProfile, billingProfile, type Tax, taxMinor, taxOf } from './tax.ts';

export interface Closing {
  /** Usage before this whole second is invoiced. */
  readonly until: Date;
  /** The moment of the closing: the invoices' date. */
  readonly now: Date;
  readonly reason: InvoiceReason;
  readonly onIssued?: OnIssued;
}

/** What follows from an invoice, in the transaction that issues it; `openMinor` is what credit has not paid of it. */
export type OnIssued = (
  manager: EntityManager,
  issued: { readonly invoiceId: number; readonly openMinor: number },
) => Promise<unknown>;

/** An invoice that a closing has written. */
export interface Issued {
  readonly invoiceId: number;
  readonly lines: number;
}

/**
 * Invoices what an account has used until a moment: an invoice for each month that has something to bill. It may be
 * repeated, interrupted and run side by side with itself: a period is invoiced once. First the account's books are
 * sealed, so that no usage can be told for the time before; then each invoice is one transaction with its lines, its
 * number, its postings and the mark of how far the account is billed.
 * @throws BillingError `period_not_over` when `until` lies ahead of `now`; `billing_account_not_found`
 */
export async function closeAccount(
  dataSource: DataSource,
  accountId: number,
  closing: Closing,
): Promise<Issued[]> {
  await sealAccounts(dataSource, [accountId], closing);
  return invoiceSealed(dataSource, accountId, closing);
}

/** Seals the books of accounts, all in one short transaction. @throws BillingError `period_not_over` */
export async function sealAccounts(
  dataSource: DataSource,
  accountIds: readonly number[],
  { until, now }: Closing,
): Promise<void> {
  assertOver(until, now);
  await runInTransaction(dataSource, async (manager) => {
    await lockPriceBook(manager, 'keep');
    await manager.query(
      `WITH locked AS (
         SELECT account_id FROM billing_accounts WHERE account_id = ANY($1) AND sealed_until < $2
         ORDER BY account_id FOR UPDATE
       )
       UPDATE billing_accounts b SET sealed_until = $2 FROM locked
       WHERE b.account_id = locked.account_id AND b.sealed_until < $2`,
      [accountIds, toDate(toEpochSecond(until))],
    );
  });
}

/** @throws BillingError `period_not_over` */
export function assertOver(until: Date, now: Date): void {
  if (until <= now) return;
  throw new BillingError(
    'period_not_over',
    `usage until ${until.toISOString()} cannot be invoiced before then`,
  );
}

/** Invoices an account whose books are sealed until the closing's moment, one month at a time. */
export async function invoiceSealed(
  dataSource: DataSource,
  accountId: number,
  closing: Closing,
): Promise<Issued[]> {
  const issued: Issued[] = [];
  for (let isDone = false; !isDone; ) {
    const step = await runInTransaction(dataSource, (manager) =>
      invoiceNextMonth(manager, accountId, closing),
    );
    if (step.lines > 0) issued.push(step);
    isDone = step.isDone;
  }
  return issued;
}

/** An invoice over what is not billed of a month, unless that is nothing. */
async function invoiceNextMonth(
  manager: EntityManager,
  accountId: number,
  closing: Closing,
): Promise<Issued & { readonly isDone: boolean }> {
  const books = await lockBooks(manager, accountId, 'money');
  const invoiceId = newId();
  const from = toEpochSecond(books.billedUntil);
  const end = toEpochSecond(closing.until);
  if (end <= from) return { invoiceId, lines: 0, isDone: true };
  const period = { from, until: Math.min(end, nextMonth(from)) };
  const totals = await writeLines(manager, { accountId, invoiceId }, period, await loadPrices(manager));
  if (totals.lines > 0) await issue(manager, books, period, closing, invoiceId, totals);
  await manager.query('UPDATE billing_accounts SET billed_until = $2 WHERE account_id = $1', [
    accountId,
    toDate(period.until),
  ]);
  return { invoiceId, lines: totals.lines, isDone: period.until === end };
}

async function writeLines(
  manager: EntityManager,
  { accountId, invoiceId }: { accountId: number; invoiceId: number },
  period: Period,
  prices: Prices,
): Promise<LineTotals> {
  const totals = new LineTotals();
  for await (const charges of accountCharges(manager, accountId, prices, period)) {
    await insertLines(manager, invoiceId, totals.lines, charges);
    for (const charge of charges) totals.add(charge);
  }
  if (totals.netMinor < 0n) {
    await insertRoundingLine(manager, invoiceId, totals.lines + 1, toDate(period.until), -totals.netMinor);
    totals.netMinor = 0n;
  }
  return totals;
}

/** Posts the invoice, writes the document, whose number others wait for, and pays it with the account's credit. */
async function issue(
  manager: EntityManager,
  books: BillingAccount,
  period: Period,
  closing: Closing,
  invoiceId: number,
  totals: LineTotals,
): Promise<void> {
  const { accountId: customerId, currency } = books;
  const settings = await billingSettings(manager);
  const customer = await billingProfile(manager, customerId);
  const tax = await taxOf(manager, settings.seller, customer, toDate(period.until - 1));
  const taxed = taxMinor(totals.netMinor, tax);
  await post(manager, {
    cause: { kind: 'invoice', id: String(invoiceId) },
    at: closing.now,
    currency,
    entries: [
      debit('receivable', totals.netMinor + taxed, { customerId }),
      credit('tax', taxed, { detail: tax.country ?? '' }),
      ...totals.entries(),
    ],
  });
  const amounts = { netMinor: totals.netMinor, taxMinor: taxed };
  await writeInvoice(manager, { invoiceId, books, period, closing, settings, customer, tax, ...amounts });
  const openMinor = Number(totals.netMinor + taxed);
  const paidMinor = await creditInvoice(manager, books, { invoiceId, openMinor, at: closing.now });
  await closing.onIssued?.(manager, { invoiceId, openMinor: openMinor - paidMinor });
}

interface Draft {
  readonly invoiceId: number;
  readonly books: BillingAccount;
  readonly period: Period;
  readonly closing: Closing;
  readonly settings: BillingSettings;
  readonly customer: BillingProfile | undefined;
  readonly tax: Tax;
  readonly netMinor: bigint;
  readonly taxMinor: bigint;
}

async function writeInvoice(manager: EntityManager, draft: Draft): Promise<void> {
  const { books, period, closing, settings, tax } = draft;
  const { series, number } = await nextNumber(manager, settings.invoiceSeries);
  await manager.query(
    `INSERT INTO invoices (id, account_id, series, number, currency, reason, period_from, period_until, issued_at,
       due_at, net_minor, tax_minor, tax_treatment, tax_country, tax_basis_points, customer, seller)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9::timestamptz + make_interval(days => $10), $11, $12, $13, $14, $15,
             $16, $17)`,
    [
      draft.invoiceId,
      books.accountId,
      series,
      number,
      books.currency,
      closing.reason,
      toDate(period.from),
      toDate(period.until),
      closing.now,
      books.termsDays ?? settings.dueDays,
      String(draft.netMinor),
      String(draft.taxMinor),
      tax.treatment,
      tax.country,
      tax.basisPoints,
      JSON.stringify(draft.customer ?? {}),
      JSON.stringify(settings.seller),
    ],
  );
}
