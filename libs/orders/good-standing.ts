import type { EntityManager } from 'typeorm';
import type { SuspensionReason } from '#libs/accounts';
import { runStatement, type Statement } from '#libs/database';
import { OrdersError } from './orders.errors.ts';

/** What stands against new orders of an account. */
export interface StandingAgainst {
  readonly reasons: readonly SuspensionReason[];
  readonly arrearsSince: Date | null;
}

/** Refuses new orders of an account that is suspended or has not paid. @throws OrdersError as `assertNothingStands` */
export async function assertGoodStanding(manager: EntityManager, accountId: number): Promise<void> {
  const [standing] = await runStatement(manager, standingAgainst(accountId));
  if (standing) assertNothingStands(standing);
}

export function standingAgainst(accountId: number): Statement<StandingAgainst> {
  return {
    text: `SELECT ARRAY(SELECT reason FROM account_suspensions WHERE account_id = $1 AND lifted_at IS NULL
                        ORDER BY since) AS reasons,
                  (SELECT since FROM arrears WHERE account_id = $1 AND closed_at IS NULL) AS "arrearsSince"`,
    values: [accountId],
  };
}

/** @throws OrdersError `account_suspended`, `account_in_arrears` */
export function assertNothingStands({ reasons, arrearsSince }: StandingAgainst): void {
  if (reasons.some((reason) => reason !== 'billing')) {
    throw new OrdersError(
      'account_suspended',
      'this account is suspended: answer the notice that you were sent',
      {
        details: { reasons },
      },
    );
  }
  if (arrearsSince !== null || reasons.length > 0) {
    throw new OrdersError(
      'account_in_arrears',
      'a payment has failed: pay the open invoices under billing, and orders are taken again',
      { details: { since: arrearsSince?.toISOString() ?? null } },
    );
  }
}
