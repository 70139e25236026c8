import type { DataSource, EntityManager } from 'typeorm';
import type { TrustTier } from './billing-accounts.ts';
import { nextMonth, toDate, toEpochSecond } from './calendar.ts';
import { type Closing, type OnIssued, sealAccounts } from './close-account.ts';
import { type ClosingReport, closeEach } from './close-month.ts';
import type { Prices } from './rating.ts';
import { billingSettings } from './settings.ts';
import { accountCharges, loadPrices, type SpanCharge } from './span-stream.ts';

/**
 * What an account has used since its last invoice until a moment, in chunks of charges as the next invoice would have
 * them. A moment ahead takes it that what is open stays open: a forecast.
 */
export async function* openUsageOf(
  manager: EntityManager,
  accountId: number,
  until: Date,
): AsyncGenerator<SpanCharge[]> {
  const [books] = await manager.query<{ billedUntil: Date }[]>(
    'SELECT billed_until AS "billedUntil" FROM billing_accounts WHERE account_id = $1',
    [accountId],
  );
  if (books) yield* chargesSince(manager, accountId, books.billedUntil, until, await loadPrices(manager));
}

/** The same in one figure, net, in minor units. */
export async function openAmountMinor(
  manager: EntityManager,
  accountId: number,
  until: Date,
): Promise<number> {
  return sumMinor(openUsageOf(manager, accountId, until));
}

/**
 * Invoices every account whose open usage has passed the threshold of its trust tier, without waiting for the month's
 * end; usage of the last moments, which may not all have been told yet, waits for the next invoice.
 */
export async function closeAboveThreshold(
  dataSource: DataSource,
  now: Date,
  onIssued?: OnIssued,
): Promise<ClosingReport> {
  const { manager } = dataSource;
  const settings = await billingSettings(manager);
  const prices = await loadPrices(manager);
  const until = toDate(toEpochSecond(now) - settings.settleSeconds);
  const closing: Closing = { until, now, reason: 'threshold', ...(onIssued && { onIssued }) };
  const report: ClosingReport = { invoices: 0, lines: 0, failures: [] };
  for await (const { accountId, billedUntil, tier } of accountsBilledBefore(manager, until)) {
    const open = await sumMinor(chargesSince(manager, accountId, billedUntil, until, prices));
    if (open <= settings.thresholdMinor[tier]) continue;
    await sealAccounts(dataSource, [accountId], closing);
    await closeEach(dataSource, [accountId], closing, report, 1);
  }
  return report;
}

async function* chargesSince(
  manager: EntityManager,
  accountId: number,
  billedUntil: Date,
  until: Date,
  prices: Prices,
): AsyncGenerator<SpanCharge[]> {
  const end = toEpochSecond(until);
  for (let from = toEpochSecond(billedUntil); from < end; from = nextMonth(from)) {
    yield* accountCharges(manager, accountId, prices, { from, until: Math.min(end, nextMonth(from)) });
  }
}

async function sumMinor(chunks: AsyncIterable<SpanCharge[]>): Promise<number> {
  let sum = 0n;
  for await (const charges of chunks) for (const { amountMinor } of charges) sum += amountMinor;
  return Number(sum);
}

interface Candidate {
  readonly accountId: number;
  readonly billedUntil: Date;
  readonly tier: TrustTier;
}

async function* accountsBilledBefore(manager: EntityManager, until: Date): AsyncGenerator<Candidate> {
  let after = 0;
  for (;;) {
    const rows = await manager.query<Candidate[]>(
      `SELECT account_id AS "accountId", billed_until AS "billedUntil", tier FROM billing_accounts
       WHERE billed_until < $1 AND account_id > $2 ORDER BY account_id LIMIT 500`,
      [until, after],
    );
    yield* rows;
    after = rows.at(-1)?.accountId ?? 0;
    if (rows.length === 0) return;
  }
}
