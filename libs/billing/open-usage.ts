import type { DataSource, EntityManager } from 'typeorm';
import type { TrustTier } from './billing-accounts.ts';
import { HOUR_SECONDS, nextMonth, toDate, toEpochSecond } from './calendar.ts';
import { type Closing, type OnIssued, sealAccounts } from './close-account.ts';
import { type ClosingReport, closeEach } from './close-month.ts';
import { MINIMUM_SECONDS, type Prices } from './rating.ts';
import { type BillingSettings, billingSettings } from './settings.ts';
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
  const candidates = accountsPerhapsAbove(manager, until, settings.thresholdMinor);
  for await (const { accountId, billedUntil, tier } of candidates) {
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

/**
 * Accounts with usage that is not invoiced, without most of those that are below their threshold: what the time comes
 * to at the dearest price that each item ever had, without the month's cap, with a minute more for each span and a
 * minor unit for each line that is rounded, is never less than what is due.
 */
export async function* accountsPerhapsAbove(
  manager: EntityManager,
  until: Date,
  thresholdMinor: BillingSettings['thresholdMinor'],
): AsyncGenerator<Candidate> {
  let after = 0;
  for (;;) {
    const rows = await manager.query<Candidate[]>(PERHAPS_ABOVE, [
      until,
      after,
      thresholdMinor.new,
      thresholdMinor.paid_once,
      thresholdMinor.trusted,
    ]);
    yield* rows;
    after = rows.at(-1)?.accountId ?? 0;
    if (rows.length === 0) return;
  }
}

const PERHAPS_ABOVE = `
  WITH dearest AS MATERIALIZED (
    SELECT item, max(hourly_micro) AS hourly_micro, count(*) AS versions FROM price_versions GROUP BY item
  )
  SELECT b.account_id AS "accountId", b.billed_until AS "billedUntil", b.tier
  FROM billing_accounts b
  CROSS JOIN LATERAL (
    SELECT sum(u.quantity * d.hourly_micro * (${MINIMUM_SECONDS} + greatest(0, extract(epoch FROM
                 least(u.closed_at, $1) - greatest(u.opened_at, b.billed_until)))) / ${HOUR_SECONDS}
               + 1000000 * (d.versions + extract(epoch FROM $1 - b.billed_until) / (28 * 86400) + 2)) AS micro
    FROM usage_spans u JOIN dearest d ON d.item = u.price_item
    WHERE u.account_id = b.account_id AND u.opened_at < $1
      AND (u.closed_at IS NULL OR u.closed_at > date_trunc('month', b.billed_until) - interval '${MINIMUM_SECONDS} seconds')
  ) AS most
  WHERE b.billed_until < $1 AND b.account_id > $2
    AND most.micro > 1000000 * CASE b.tier WHEN 'new' THEN $3::bigint WHEN 'paid_once' THEN $4 ELSE $5 END
  ORDER BY b.account_id LIMIT 500`;
