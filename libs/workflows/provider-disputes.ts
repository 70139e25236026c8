import type { EntityManager } from 'typeorm';
import { closeDispute, isPosted, notesWaitingFor, noteUnpaid, openDispute } from '#libs/billing';
import { type Dispute, takeTurn } from '#libs/payments';
import { startCollecting } from './collect-invoices.ts';
import type { MirrorDeps } from './collecting-deps.ts';
import { lookAtPayment, mirrorPayment, type PaidFor, paidForBy } from './provider-books.ts';
import { startRefund } from './refunds.ts';
import { refundSubject } from './send-refund.saga.ts';

/**
 * Brings the books to a dispute as it was just seen, in turn: what a bank holds back is frozen until it is decided, and
 * the operator is told, also of an inquiry, which takes nothing yet. A dispute that is lost opens the invoices again: they
 * are asked for, and the card is left alone.
 */
export async function mirrorDispute(manager: EntityManager, deps: MirrorDeps, seen: Dispute): Promise<void> {
  if (seen.paymentId === undefined) return;
  const payment = await lookAtPayment(manager, deps, seen.paymentId);
  const paidFor = await paidForBy(manager, payment);
  if (!paidFor) return;
  await mirrorPayment(manager, deps, payment, paidFor);
  await tellOperator(manager, deps, seen, paidFor);
  const { disputeId: id, status, amountMinor, currency } = seen;
  const money = { accountId: paidFor.accountId, amountMinor, currency, at: deps.clock.now() };
  const opened = { kind: 'dispute', id };
  const hasTaken = status === 'open' || status === 'lost' || (await isPosted(manager, opened));
  if (!hasTaken || status === 'inquiry') return;
  await openDispute(manager, { ...money, cause: opened });
  if (status === 'open') return;
  await endDispute(manager, deps, paidFor, {
    ...money,
    id,
    paymentId: seen.paymentId,
    won: status === 'won',
  });
}

interface Ended {
  readonly id: string;
  readonly paymentId: string;
  readonly accountId: number;
  readonly amountMinor: number;
  readonly currency: string;
  readonly at: Date;
  readonly won: boolean;
}

async function endDispute(
  manager: EntityManager,
  { sagas, findings }: MirrorDeps,
  paidFor: PaidFor,
  { id, ...ended }: Ended,
): Promise<void> {
  const { accountId, at, paymentId } = ended;
  const invoiceIds = invoicesOf(paidFor);
  const waiting = await notesWaitingFor(manager, paymentId);
  const cause = { kind: 'dispute_closed', id };
  if (!(await closeDispute(manager, { ...ended, cause, invoiceIds }))) return;
  const stillWaiting = await notesWaitingFor(manager, paymentId);
  const covered = waiting.filter((note) => !stillWaiting.includes(note));
  const subjects = covered.map((note) => refundSubject(note, paymentId));
  await findings.resolve(manager, 'refund_failed', subjects);
  if (ended.won) {
    for (const creditNoteId of stillWaiting) await startRefund(manager, sagas, creditNoteId);
    return;
  }
  for (const invoiceId of invoiceIds) {
    const isOwed = await noteUnpaid(manager, { accountId, invoiceId, at, isHard: true });
    if (isOwed) await startCollecting(manager, sagas, invoiceId);
  }
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
  if (status === 'won' || status === 'lost') return findings.resolve(manager, 'payment_disputed', [subject]);
  const details = {
    accountId: paidFor.accountId,
    invoiceIds: invoicesOf(paidFor),
    amountMinor,
    currency,
    reason,
    isInquiry: status === 'inquiry',
    answerBy: answerBy?.toISOString() ?? null,
  };
  await findings.report({ kind: 'payment_disputed', hostId: null, subject, details }, manager);
}

function invoicesOf(paidFor: PaidFor): number[] {
  return paidFor.kind === 'invoices' ? paidFor.collection.parts.map(({ invoiceId }) => invoiceId) : [];
}
