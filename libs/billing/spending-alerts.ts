import type { DataSource, EntityManager } from 'typeorm';
import { runInTransaction } from '#libs/database';
import { monthStart, toDate, toEpochSecond } from './calendar.ts';
import { monthSpending } from './month-spending.ts';
import { type AlertPercent, type SpendingLimit, spendingLimit } from './spending-limit.ts';

/** A mark of a customer's limit that the spending of a month has reached. */
export interface SpendingAlert {
  readonly accountId: number;
  readonly month: Date;
  readonly percent: AlertPercent;
  readonly spentMinor: number;
  readonly limit: SpendingLimit;
}

/** Tells the customer, in the transaction in which the mark is noted. */
export type TellSpending = (manager: EntityManager, alert: SpendingAlert) => Promise<void>;

export interface SpendingReport {
  told: number;
  /** Accounts that could not be looked at; a later run does. */
  readonly failures: { readonly accountId: number; readonly error: unknown }[];
}

/**
 * Looks at every account with a limit and tells of the marks that it has reached: each one once in a month, and of
 * several at once the highest. Call it by the clock, from as many processes as you like.
 */
export async function alertSpending(
  dataSource: DataSource,
  now: Date,
  tell: TellSpending,
): Promise<SpendingReport> {
  const report: SpendingReport = { told: 0, failures: [] };
  for await (const accountId of accountsToLookAt(dataSource, now)) {
    try {
      if (await alertAccount(dataSource, accountId, now, tell)) report.told += 1;
    } catch (error) {
      report.failures.push({ accountId, error });
    }
  }
  return report;
}

/** The marks of a month that an account has reached and was told of, or of a higher one. */
export async function alertedPercents(
  manager: EntityManager,
  accountId: number,
  now: Date,
): Promise<AlertPercent[]> {
  const rows = await manager.query<{ percent: AlertPercent }[]>(
    'SELECT percent FROM spending_alerts WHERE account_id = $1 AND month = $2 ORDER BY percent',
    [accountId, toDate(monthStart(toEpochSecond(now)))],
  );
  return rows.map(({ percent }) => percent);
}

async function alertAccount(
  dataSource: DataSource,
  accountId: number,
  now: Date,
  tell: TellSpending,
): Promise<boolean> {
  const { month, totalMinor: spentMinor } = await monthSpending(dataSource.manager, accountId, now);
  return runInTransaction(dataSource, async (manager) => {
    const limit = await spendingLimit(manager, accountId);
    if (!limit) return false;
    const reached = limit.alertPercents.filter((percent) => spentMinor * 100 >= limit.amountMinor * percent);
    const noted = await manager.query<{ percent: AlertPercent }[]>(
      `INSERT INTO spending_alerts (account_id, month, percent, limit_minor, spent_minor, noticed_at)
       SELECT $1, $2, percent, $4, $5, $6 FROM unnest($3::int[]) AS reached (percent)
       ON CONFLICT DO NOTHING RETURNING percent`,
      [accountId, month, reached, limit.amountMinor, spentMinor, now],
    );
    const highest = noted.map(({ percent }) => percent).sort((a, b) => b - a)[0];
    if (highest === undefined) return false;
    await tell(manager, { accountId, month, percent: highest, spentMinor, limit });
    return true;
  });
}

/** Those with a mark that was not reached in this month. */
async function* accountsToLookAt(dataSource: DataSource, now: Date): AsyncGenerator<number> {
  let after = 0;
  for (;;) {
    const rows = await dataSource.query<{ id: number }[]>(
      `SELECT l.account_id AS id FROM spending_limits l
       WHERE l.account_id > $1 AND NOT l.alert_percents <@ ARRAY(
         SELECT a.percent FROM spending_alerts a WHERE a.account_id = l.account_id AND a.month = $2)
       ORDER BY l.account_id LIMIT 500`,
      [after, toDate(monthStart(toEpochSecond(now)))],
    );
    yield* rows.map(({ id }) => id);
    after = rows.at(-1)?.id ?? 0;
    if (rows.length === 0) return;
  }
}
