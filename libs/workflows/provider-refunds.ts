import type { EntityManager } from 'typeorm';
import { creditFailedRefund, creditPayment, ledgerOfPayment } from '#libs/billing';
import { type Refund, takeTurn } from '#libs/payments';
import { collectOpenInvoices } from './collect-invoices.ts';
import type { MirrorDeps } from './collecting-deps.ts';
import { lookAtPayment, mirrorPayment, paidForBy } from './provider-books.ts';

/** Looks at a refund and brings the books to it, within a transaction that holds no lock of the books yet. */
export async function lookAtRefund(manager: EntityManager, deps: MirrorDeps, id: string): Promise<void> {
  await takeTurn(manager, { kind: 'refund', id });
  await mirrorRefund(manager, deps, await deps.provider.money.fetchRefund(id));
}

/**
 * Brings the books to a refund as it was just seen, in turn. One that came back has given its customer nothing: what it
 * was for becomes credit of the account, because the card that did not take it would not take it again; that credit pays
 * what is open, and the operator, who alone may send money elsewhere, is told.
 */
export async function mirrorRefund(manager: EntityManager, deps: MirrorDeps, seen: Refund): Promise<void> {
  const { refundId, paymentId, amountMinor, currency } = seen;
  if (paymentId === undefined) return;
  const payment = await lookAtPayment(manager, deps, paymentId);
  const paidFor = await paidForBy(manager, payment);
  if (!paidFor) return;
  await mirrorPayment(manager, deps, payment, paidFor);
  if (seen.status !== 'failed' && seen.status !== 'cancelled') return;
  const { accountId } = paidFor;
  const failed = { accountId, currency, amountMinor, at: deps.clock.now() };
  const isOfOrder = paidFor.kind === 'credit' && paidFor.topUp === undefined;
  let creditMinor = amountMinor;
  if (isOfOrder) {
    // An order's refunds are booked one by one and never taken back: what is there beyond the books has come back.
    const backMinor =
      payment.receivedMinor - payment.refundedMinor - (await ledgerOfPayment(manager, paymentId));
    const cause = { kind: 'hold_refund_failed', id: `${paymentId}/${refundId}` };
    const note = 'A refund that came back';
    if (backMinor > 0) await creditPayment(manager, { ...failed, amountMinor: backMinor, cause, note });
  } else if (paidFor.kind === 'invoices') {
    const cardRefundId = Number(/^refund (\d{1,16})$/.exec(seen.reference ?? '')?.[1] ?? 0);
    creditMinor = await creditFailedRefund(manager, { ...failed, refundId, cardRefundId });
  }
  await collectOpenInvoices(manager, deps.sagas, accountId);
  const details = { accountId, paymentId, amountMinor, creditMinor, currency };
  const subject = `refund ${refundId}`;
  await deps.findings.report({ kind: 'refund_failed', hostId: null, subject, details }, manager);
}
