import { z } from 'zod';
import { type CardRefund, cardRefunds, noteRefundSent, planCardRefunds } from '#libs/billing';
import { type Payment, PaymentError } from '#libs/payments';
import { deps, saga, sagaRequest } from '#libs/saga';
import type { CollectingDeps } from './collecting-deps.ts';
import { lookAtPayment, mirrorPayment, refundReference } from './provider-books.ts';

export const sendRefundRequest = sagaRequest('send-refund', z.object({ creditNoteId: z.int() }));

/** What the provider will refuse again: less is left of the payment than that, or a bank holds it back. */
const REFUSALS = ['refund_too_large', 'payment_not_found', 'provider_refused'];

/**
 * Money of a credit note goes back to the cards that paid the invoice, the last payment first. What no card has paid
 * becomes credit. What the provider refuses stays owed, and the operator is told; it is tried again when a dispute that was
 * in its way is won.
 */
export const sendRefund = saga(sendRefundRequest, deps<CollectingDeps>())
  .pointOfNoReturn('the credit note is issued: the money is owed')
  .step('plan', {
    title: 'Finding the payments',
    transact: async (manager, { params, deps }) => {
      const planned = await planCardRefunds(manager, { ...params, at: deps.clock.now() });
      return { refunds: planned.map(({ id }) => id) };
    },
  })
  .step('send', {
    title: 'Giving it back',
    do: async ({ params, deps }) => {
      const refused: number[] = [];
      const sent: { id: number; refundId: string }[] = [];
      for (const refund of await cardRefunds(deps.dataSource.manager, params.creditNoteId)) {
        if (refund.isSent) continue;
        const refundId = await send(deps, refund);
        if (refundId === undefined) refused.push(refund.id);
        else sent.push({ id: refund.id, refundId });
      }
      return { sent, refused };
    },
    commit: async (manager, { params, deps }, { sent, refused }) => {
      const planned = await cardRefunds(manager, params.creditNoteId);
      const paymentIds = planned.map(({ paymentId }) => paymentId).sort();
      const seen: Payment[] = [];
      for (const paymentId of paymentIds) seen.push(await lookAtPayment(manager, deps, paymentId));
      for (const payment of seen) await mirrorPayment(manager, deps, payment);
      for (const { id, refundId } of sent) await noteRefundSent(manager, id, refundId, deps.clock.now());
      // Whoever has looked at the payment meanwhile may have noted it as sent.
      const done = planned.filter(({ id, isSent }) => isSent || sent.some((one) => one.id === id));
      const subjects = done.map(({ paymentId }) => refundSubject(params.creditNoteId, paymentId));
      await deps.findings.resolve(manager, 'refund_failed', subjects);
      for (const { id, ...details } of planned.filter(({ id }) => refused.includes(id))) {
        const subject = refundSubject(params.creditNoteId, details.paymentId);
        await deps.findings.report({ kind: 'refund_failed', hostId: null, subject, details }, manager);
      }
    },
  })
  .build();

/** What a finding about a refund names. */
export function refundSubject(creditNoteId: number, paymentId: string): string {
  return `credit note ${creditNoteId}, payment ${paymentId}`;
}

/** @returns the provider's id of it; undefined where the provider refuses it */
async function send(
  { calls, provider }: CollectingDeps,
  { id, paymentId, amountMinor }: CardRefund,
): Promise<string | undefined> {
  const reference = refundReference(id);
  const asked = { paymentId, amountMinor, reference, reason: 'requested_by_customer' as const };
  try {
    const refund = await calls.make(
      'refund_payment',
      id,
      asked,
      (call) => provider.money.refund(call),
      () => provider.money.findRefund({ paymentId, reference }),
    );
    return refund.refundId;
  } catch (error) {
    if (error instanceof PaymentError && REFUSALS.includes(error.code)) return undefined;
    throw error;
  }
}
