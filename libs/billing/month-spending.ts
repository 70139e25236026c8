import type { EntityManager } from 'typeorm';
import { type EpochSecond, monthStart, nextMonth, toDate, toEpochSecond } from './calendar.ts';
import { billingSettings } from './settings.ts';
import { accountCharges, loadPrices } from './span-stream.ts';
import { billingProfile, taxMinor, taxOf } from './tax.ts';

/** What the use of a UTC month comes to, in minor units: invoices of it, and what the next one would have. */
export interface MonthSpending {
  readonly month: Date;
  readonly netMinor: number;
  readonly taxMinor: number;
  readonly totalMinor: number;
  /** The part of the total that is invoiced already, paid or not. */
  readonly invoicedMinor: number;
}

interface Invoiced {
  readonly billedUntil: Date;
  readonly netMinor: number;
  readonly taxMinor: number;
}

/** What an account has spent in the month of a moment until then. Money that came in does not make it less. */
export function monthSpending(manager: EntityManager, accountId: number, now: Date): Promise<MonthSpending> {
  return spendingUntil(manager, accountId, toEpochSecond(now), toEpochSecond(now));
}

/**
 * What the whole month of a moment will come to if all that is open then stays open, at the prices that are known for
 * the rest of it. When nothing changes any more, it is what the month's invoices sum to.
 */
export function monthForecast(manager: EntityManager, accountId: number, now: Date): Promise<MonthSpending> {
  const second = toEpochSecond(now);
  return spendingUntil(manager, accountId, second, nextMonth(second));
}

async function spendingUntil(
  manager: EntityManager,
  accountId: number,
  now: EpochSecond,
  until: EpochSecond,
): Promise<MonthSpending> {
  const start = monthStart(now);
  const invoiced = await invoicedSince(manager, accountId, toDate(start));
  const from = Math.max(start, toEpochSecond(invoiced?.billedUntil ?? toDate(until)));
  const openNet = await netOf(manager, accountId, from, until);
  const { seller } = await billingSettings(manager);
  const customer = await billingProfile(manager, accountId);
  const openTax = taxMinor(openNet, await taxOf(manager, seller, customer, toDate(until - 1)));
  const netMinor = Number(openNet) + (invoiced?.netMinor ?? 0);
  const tax = Number(openTax) + (invoiced?.taxMinor ?? 0);
  return {
    month: toDate(start),
    netMinor,
    taxMinor: tax,
    totalMinor: netMinor + tax,
    invoicedMinor: (invoiced?.netMinor ?? 0) + (invoiced?.taxMinor ?? 0),
  };
}

/** In one statement, so that an invoice written meanwhile is in both or in neither. */
async function invoicedSince(
  manager: EntityManager,
  accountId: number,
  month: Date,
): Promise<Invoiced | undefined> {
  const [row] = await manager.query<Invoiced[]>(
    `SELECT b.billed_until AS "billedUntil", coalesce(sum(i.net_minor), 0)::bigint AS "netMinor",
            coalesce(sum(i.tax_minor), 0)::bigint AS "taxMinor"
     FROM billing_accounts b LEFT JOIN invoices i ON i.account_id = b.account_id AND i.period_from >= $2
     WHERE b.account_id = $1 GROUP BY b.account_id`,
    [accountId, month],
  );
  return row;
}

/** Net, of a period of one month; never below zero, as an invoice is not. */
async function netOf(
  manager: EntityManager,
  accountId: number,
  from: EpochSecond,
  until: EpochSecond,
): Promise<bigint> {
  if (from >= until) return 0n;
  let net = 0n;
  for await (const charges of accountCharges(manager, accountId, await loadPrices(manager), { from, until }))
    for (const { amountMinor } of charges) net += amountMinor;
  return net < 0n ? 0n : net;
}
