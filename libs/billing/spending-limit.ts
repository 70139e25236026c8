import type { EntityManager } from 'typeorm';
import { BillingError } from './billing.errors.ts';
import { assertAmount } from './ledger.ts';
import { monthSpending } from './month-spending.ts';

/** The shares of a limit at which a customer may be warned. */
export const ALERT_PERCENTS = [50, 80, 100] as const;
export type AlertPercent = (typeof ALERT_PERCENTS)[number];

/** What a customer wants to spend in a UTC month at most. */
export interface SpendingLimit {
  /** Tax included, in the currency of the account. */
  readonly amountMinor: number;
  /** New orders are refused when it is reached. What runs goes on, and goes on being billed. */
  readonly isHard: boolean;
  readonly alertPercents: readonly AlertPercent[];
}

export async function spendingLimit(
  manager: EntityManager,
  accountId: number,
): Promise<SpendingLimit | undefined> {
  const [row] = await manager.query<SpendingLimit[]>(
    `SELECT amount_minor AS "amountMinor", is_hard AS "isHard", alert_percents AS "alertPercents"
     FROM spending_limits WHERE account_id = $1`,
    [accountId],
  );
  return row;
}

/** Sets the limit, or takes it away. Marks that were told in this month are not told again. @throws BillingError `amount_malformed` */
export async function setSpendingLimit(
  manager: EntityManager,
  accountId: number,
  limit: SpendingLimit | null,
): Promise<void> {
  if (limit === null) {
    await manager.query('DELETE FROM spending_limits WHERE account_id = $1', [accountId]);
    return;
  }
  assertAmount(limit.amountMinor);
  await manager.query(
    `INSERT INTO spending_limits (account_id, amount_minor, is_hard, alert_percents) VALUES ($1, $2, $3, $4)
     ON CONFLICT (account_id) DO UPDATE SET amount_minor = excluded.amount_minor, is_hard = excluded.is_hard,
       alert_percents = excluded.alert_percents`,
    [accountId, limit.amountMinor, limit.isHard, [...new Set(limit.alertPercents)].sort((a, b) => a - b)],
  );
}

/**
 * Refuses what would add to the spending of a month whose limit is reached.
 * @throws BillingError `spending_limit_reached` when the customer has a hard limit and has spent it
 */
export async function assertBelowSpendingLimit(
  manager: EntityManager,
  accountId: number,
  now: Date,
): Promise<void> {
  const limit = await spendingLimit(manager, accountId);
  if (!limit?.isHard) return;
  const { totalMinor } = await monthSpending(manager, accountId, now);
  if (totalMinor < limit.amountMinor) return;
  throw new BillingError(
    'spending_limit_reached',
    'the spending limit of this month is reached; raise it under billing, or wait for the next month',
    { details: { limit_minor: limit.amountMinor, spent_minor: totalMinor } },
  );
}
