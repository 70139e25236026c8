import type { DataSource } from 'typeorm';
import { nextMonth, toDate, toEpochSecond } from './calendar.ts';
import { assertOver, type Closing, invoiceSealed, type OnIssued, sealAccounts } from './close-account.ts';

/** What a closing of many accounts came to. */
export interface ClosingReport {
  invoices: number;
  lines: number;
  /** Accounts that could not be closed; the others are. A later run tries them again. */
  readonly failures: { readonly accountId: number; readonly error: unknown }[];
}

export interface MonthClosing {
  /** Any moment of the UTC month that is over. */
  readonly month: Date;
  readonly now: Date;
  /** Accounts that are invoiced side by side; 4 unless told. */
  readonly concurrency?: number;
  readonly onIssued?: OnIssued;
}

/** Accounts that are read and sealed at a time. */
const CHUNK = 500;

/**
 * Invoices a UTC month that is over for every account, and what older months left open. It may be repeated, killed and
 * run side by side with itself. One account's failure does not keep the others from their invoices.
 * @throws BillingError `period_not_over`
 */
export async function closeMonth(dataSource: DataSource, closing: MonthClosing): Promise<ClosingReport> {
  const until = toDate(nextMonth(toEpochSecond(closing.month)));
  assertOver(until, closing.now);
  const report: ClosingReport = { invoices: 0, lines: 0, failures: [] };
  let after = 0;
  for (;;) {
    const accountIds = await unbilledAccounts(dataSource, until, after);
    if (accountIds.length === 0) return report;
    const each: Closing = { ...closing, until, reason: 'month' };
    await sealAccounts(dataSource, accountIds, each);
    await closeEach(dataSource, accountIds, each, report, closing.concurrency ?? 4);
    after = accountIds.at(-1) ?? after;
  }
}

async function unbilledAccounts(dataSource: DataSource, until: Date, after: number): Promise<number[]> {
  const rows = await dataSource.query<{ id: number }[]>(
    `SELECT account_id AS id FROM billing_accounts WHERE billed_until < $1 AND account_id > $2
     ORDER BY account_id LIMIT ${CHUNK}`,
    [until, after],
  );
  return rows.map(({ id }) => id);
}

/** Invoices sealed accounts, some side by side. */
export async function closeEach(
  dataSource: DataSource,
  accountIds: readonly number[],
  closing: Closing,
  report: ClosingReport,
  concurrency: number,
): Promise<void> {
  const queue = accountIds.values();
  const work = async () => {
    for (const accountId of queue) {
      try {
        const issued = await invoiceSealed(dataSource, accountId, closing);
        report.invoices += issued.length;
        report.lines += issued.reduce((sum, { lines }) => sum + lines, 0);
      } catch (error) {
        report.failures.push({ accountId, error });
      }
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));
}
