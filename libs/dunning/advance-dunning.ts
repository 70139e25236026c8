import type { DataSource, EntityManager } from 'typeorm';
import { liftSuspension, standingSuspensions, suspendAccount } from '#libs/accounts';
import {
  type Arrears,
  type DunningStep,
  dueForHarm,
  notePaid,
  settledArrears,
  takeDueRetries,
  takeDueStep,
} from '#libs/billing';
import { runInTransaction } from '#libs/database';
import type { ServerSuspensions } from '#libs/servers';
import type { VolumeSuspensions } from '#libs/volumes';
import { mailRestored, mailStep } from './dunning-mails.ts';

export interface DunningDeps {
  readonly dataSource: DataSource;
  readonly suspensions: ServerSuspensions;
  readonly volumes: VolumeSuspensions;
  /** Asks for an account's open invoices once more, in this transaction. */
  readonly collectAgain: (manager: EntityManager, accountId: number) => Promise<unknown>;
  /** Looks at the provider whether an account has paid, and brings the books to it. Throws where it cannot look. */
  readonly lookAgain: (accountId: number) => Promise<unknown>;
}

/** What one round did, for the log. */
export interface DunningReport {
  readonly steps: readonly { readonly accountId: number; readonly step: DunningStep }[];
  readonly restored: readonly number[];
  readonly retried: readonly number[];
  /** Accounts that keep their servers for now, because the provider did not say whether they have paid. */
  readonly unsure: readonly number[];
  /** Servers for which a workflow was asked. */
  readonly servers: number;
  /** Volumes that were hidden, given back, or asked to be deleted. */
  readonly volumes: number;
}

/**
 * Leads accounts that do not pay down the ladder as far as is due by `now`, those that have paid back up, and has their
 * servers and volumes follow. Several workers may do it at once, and as often as they like: each step is taken once.
 */
export async function advanceDunning(deps: DunningDeps, now: Date): Promise<DunningReport> {
  await endSettled(deps, now);
  const { lookedAt, unsure } = await lookBeforeHarm(deps, now);
  const steps = await takeSteps(deps, now, lookedAt);
  const restored = await liftPaid(deps, now);
  const retried = await runInTransaction(deps.dataSource, async (manager) => {
    const accountIds = await takeDueRetries(manager, now);
    for (const accountId of accountIds) await deps.collectAgain(manager, accountId);
    return accountIds;
  });
  const servers = await deps.suspensions.align();
  return { steps, restored, retried, unsure, servers, volumes: await deps.volumes.align() };
}

/** Debts that ended without a payment that told of it: by a credit note, a write-off, credit. */
async function endSettled({ dataSource }: DunningDeps, at: Date): Promise<void> {
  for (const accountId of await settledArrears(dataSource.manager)) {
    await runInTransaction(dataSource, (manager) => notePaid(manager, { accountId, at }));
  }
}

/**
 * Webhooks may be lost, and a worker that was away has not swept yet: nobody loses a server before the provider has said
 * a moment ago that they have not paid.
 */
async function lookBeforeHarm(
  { dataSource, lookAgain }: DunningDeps,
  now: Date,
): Promise<{ readonly lookedAt: readonly number[]; readonly unsure: readonly number[] }> {
  const lookedAt: number[] = [];
  const unsure: number[] = [];
  for (const accountId of await dueForHarm(dataSource.manager, now)) {
    const isSure = await lookAgain(accountId).then(
      () => true,
      () => false,
    );
    (isSure ? lookedAt : unsure).push(accountId);
  }
  return { lookedAt, unsure };
}

async function takeSteps(
  { dataSource }: DunningDeps,
  now: Date,
  lookedAt: readonly number[],
): Promise<DunningReport['steps']> {
  const taken: (Arrears & { readonly step: DunningStep })[] = [];
  for (;;) {
    const next = await runInTransaction(dataSource, async (manager) => {
      const arrears = await takeDueStep(manager, now, lookedAt);
      if (!arrears) return undefined;
      const { accountId, step } = arrears;
      // The servers follow: they are compared with what stands after all steps are taken.
      if (step === 'suspension') await suspendAccount(manager, { accountId, reason: 'billing', at: now });
      await mailStep(manager, arrears);
      return arrears;
    });
    if (!next) return taken.map(({ accountId, step }) => ({ accountId, step }));
    taken.push(next);
  }
}

/** Suspended for what is owed, and nothing is owed any more that has come so far. */
async function liftPaid({ dataSource }: DunningDeps, at: Date): Promise<number[]> {
  const paid = await dataSource.query<{ accountId: number }[]>(
    `SELECT s.account_id AS "accountId" FROM account_suspensions s
     WHERE s.reason = 'billing' AND s.lifted_at IS NULL AND NOT EXISTS (
       SELECT 1 FROM arrears a WHERE a.account_id = s.account_id AND a.closed_at IS NULL
         AND a.step IN ('suspension', 'soft_deletion', 'purge'))`,
  );
  for (const { accountId } of paid) {
    await runInTransaction(dataSource, async (manager) => {
      const lifted = await liftSuspension(manager, { accountId, reason: 'billing', at });
      if (!lifted) return;
      const isStillSuspended = (await standingSuspensions(manager, accountId)).length > 0;
      await mailRestored(manager, accountId, lifted, isStillSuspended);
    });
  }
  return paid.map(({ accountId }) => accountId);
}
