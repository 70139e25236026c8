import type { EntityManager } from 'typeorm';
import {
  noteBalanceSweep,
  noteRefundFailureSeen,
  recordMovement,
  takeBalanceSweep,
  unseenRefundFailures,
} from '#libs/billing';
import { runInTransaction } from '#libs/database';
import { PaymentError } from '#libs/payments';
import type { CollectingDeps } from './collecting-deps.ts';
import { lookAtRefund } from './provider-refunds.ts';

/** A movement may be listed so long after it happened, and clocks may differ. */
const OVERLAP_MILLISECONDS = 2 * 3_600_000;

/**
 * Books what moved our balance at the provider since the last sweep: fees, payouts, and whatever else it took or gave. Each
 * page is committed with its place, so that a sweep that is cut short goes on there, and two at once share the pages.
 * Refunds that came back, and of which no event has told, are looked at.
 * @param options `isFull` looks at all movements there ever were
 * @returns how many movements were news
 * @throws PaymentError `provider_unavailable`: nothing is skipped, the next sweep goes on there
 */
export async function sweepBalance(
  deps: CollectingDeps,
  { isFull = false }: { readonly isFull?: boolean } = {},
): Promise<number> {
  if (isFull) await runInTransaction(deps.dataSource, beginAnew);
  let found = 0;
  for (let isDone = false; !isDone; ) {
    const page = await runInTransaction(deps.dataSource, (manager) => sweepPage(manager, deps));
    found += page.found;
    isDone = page.isDone;
  }
  await lookAtRefundFailures(deps);
  return found;
}

async function beginAnew(manager: EntityManager): Promise<void> {
  await takeBalanceSweep(manager);
  await noteBalanceSweep(manager, { sweptTo: null, beganAt: null, since: null, after: null });
}

async function sweepPage(
  manager: EntityManager,
  { provider, clock }: CollectingDeps,
): Promise<{ found: number; isDone: boolean }> {
  const { sweptTo, ...underWay } = await takeBalanceSweep(manager);
  const isNew = underWay.beganAt === null;
  const beganAt = underWay.beganAt ?? clock.now();
  const since = isNew ? sweptTo && new Date(sweptTo.getTime() - OVERLAP_MILLISECONDS) : underWay.since;
  const { movements, hasMore } = await provider.balance.movements({
    since: since ?? undefined,
    after: underWay.after ?? undefined,
  });
  let found = 0;
  for (const movement of movements) found += (await recordMovement(manager, movement)) ? 1 : 0;
  const last = movements.at(-1);
  const isDone = !hasMore || last === undefined;
  await noteBalanceSweep(
    manager,
    isDone
      ? { sweptTo: beganAt, beganAt: null, since: null, after: null }
      : { sweptTo, beganAt, since, after: last.movementId },
  );
  return { found, isDone };
}

async function lookAtRefundFailures(deps: CollectingDeps): Promise<void> {
  for (const refundId of await unseenRefundFailures(deps.dataSource.manager)) {
    await runInTransaction(deps.dataSource, async (manager) => {
      await lookAtRefund(manager, deps, refundId).catch(unlessUnknown);
      await noteRefundFailureSeen(manager, refundId, deps.clock.now());
    });
  }
}

function unlessUnknown(error: unknown): void {
  if (!(error instanceof PaymentError && error.kind === 'not_found')) throw error;
}
