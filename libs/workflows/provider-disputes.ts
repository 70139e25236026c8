import type { EntityManager } from 'typeorm';
import { closeDispute, noteUnpaid, openDispute } from '#libs/billing';
import { type Dispute, takeTurn } from '#libs/payments';
import type { MirrorDeps } from './collecting-deps.ts';
import { lookAtPayment, mirrorPayment, type PaidFor, paidForBy } from './provider-books.ts';

/**
 * Brings the books to a dispute as it was just seen, in turn: what a bank holds back is frozen until it is decided, and
 * the operator is told. A dispute that is lost opens the invoices again; nobody charges the card for them by himself.
 */
export async function mirrorDispute(manager: EntityManager, deps: MirrorDeps, seen: Dispute): Promise<void> {
  if (seen.paymentId === undefined) return;
  const payment = await lookAtPayment(manager, deps, seen.paymentId);
  const paidFor = await paidForBy(manager, payment);
  if (!paidFor) return;
  await mirrorPayment(manager, deps, payment, paidFor);
  const { disputeId: id, amountMinor, currency } = seen;
  const at = deps.clock.now();
  const money = { accountId: paidFor.accountId, amountMinor, currency, at };
  await openDispute(manager, { ...money, cause: { kind: 'dispute', id } });
  await tellOperator(manager, deps, seen, paidFor);
  if (seen.status === 'open') return;
  const invoiceIds = invoicesOf(paidFor);
  const cause = { kind: 'dispute_closed', id };
  const isNews = await closeDispute(manager, { ...money, cause, invoiceIds, won: seen.status === 'won' });
  if (!isNews || seen.status === 'won') return;
  const { accountId } = paidFor;
  for (const invoiceId of invoiceIds) await noteUnpaid(manager, { accountId, invoiceId, at, isHard: true });
}

/** Looks at a dispute and brings the books to it, within a transaction that holds no lock of the books yet. */
export async function lookAtDispute(manager: EntityManager, deps: MirrorDeps, id: string): Promise<Dispute> {
  await takeTurn(manager, { kind: 'dispute', id });
  const seen = await deps.provider.money.fetchDispute(id);
  await mirrorDispute(manager, deps, seen);
  return seen;
}

async function tellOperator(
  manager: EntityManager,
  { findings }: MirrorDeps,
  { disputeId, status, amountMinor, currency, reason, answerBy }: Dispute,
  paidFor: PaidFor,
): Promise<void> {
  const subject = `dispute ${disputeId}`;
  if (status !== 'open') return findings.resolve(manager, 'payment_disputed', [subject]);
  const details = {
    accountId: paidFor.accountId,
    invoiceIds: invoicesOf(paidFor),
    amountMinor,
    currency,
    reason,
    answerBy: answerBy?.toISOString() ?? null,
  };
  await findings.report({ kind: 'payment_disputed', hostId: null, subject, details }, manager);
}

function invoicesOf(paidFor: PaidFor): number[] {
  return paidFor.kind === 'invoices' ? paidFor.collection.parts.map(({ invoiceId }) => invoiceId) : [];
}
