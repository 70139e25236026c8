import type { EntityManager } from 'typeorm';
import { liftSuspension, type SuspensionReason, standingSuspensions, suspendAccount } from '#libs/accounts';
import { mailRestored, mailSuspended } from './dunning-mails.ts';

/** What an operator may suspend for. Billing's own suspensions come and go with what is owed. */
export type OperatorReason = Exclude<SuspensionReason, 'billing'>;

/**
 * Suspends an account for a reason and tells it so; its servers follow when the worker looks, which it does within
 * seconds. @param note for the customer: what is wrong
 * @returns false when the reason stood before
 */
export async function suspendForOperator(
  manager: EntityManager,
  suspended: { readonly accountId: number; readonly reason: OperatorReason; readonly note: string },
): Promise<boolean> {
  const begun = await suspendAccount(manager, { ...suspended, at: new Date() });
  if (begun) await mailSuspended(manager, suspended.accountId, begun);
  return begun !== undefined;
}

/** Lifts one reason. @returns false when it did not stand */
export async function liftForOperator(
  manager: EntityManager,
  { accountId, reason }: { readonly accountId: number; readonly reason: OperatorReason },
): Promise<boolean> {
  const lifted = await liftSuspension(manager, { accountId, reason, at: new Date() });
  const isFree = (await standingSuspensions(manager, accountId)).length === 0;
  if (lifted && isFree) await mailRestored(manager, accountId, lifted, false);
  return lifted !== undefined;
}
