import type { DataSource } from 'typeorm';
import { monthStart, toDate, toEpochSecond } from './calendar.ts';
import type { OnIssued } from './close-account.ts';
import { type ClosingReport, closeMonth } from './close-month.ts';
import { expireCredit } from './credit-expiry.ts';
import { closeAboveThreshold } from './open-usage.ts';
import { billingSettings } from './settings.ts';

/**
 * All that the books have to do by a moment: invoices for the months that are over and settled, invoices for accounts
 * above their threshold, and the end of credit that has expired. Call it by the clock, as often as you like and from
 * as many processes as you like.
 */
export async function closeDue(
  dataSource: DataSource,
  now: Date,
  onIssued?: OnIssued,
): Promise<ClosingReport> {
  const told = onIssued ? { onIssued } : {};
  const { settleSeconds } = await billingSettings(dataSource.manager);
  await expireCredit(dataSource, now);
  const lastMonth = toDate(monthStart(toEpochSecond(now) - settleSeconds) - 1);
  const months = await closeMonth(dataSource, { month: lastMonth, now, ...told });
  const early = await closeAboveThreshold(dataSource, now, onIssued);
  return {
    invoices: months.invoices + early.invoices,
    lines: months.lines + early.lines,
    failures: [...months.failures, ...early.failures],
  };
}
