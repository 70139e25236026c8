import type { EntityManager } from 'typeorm';
import { type CreditNote, issueCreditNote, lockInvoice, notePaid, type RefundRequest } from '#libs/billing';
import type { SagaStore } from '#libs/saga';
import { startCollecting } from './collect-invoices.ts';
import { sendRefundRequest } from './send-refund.saga.ts';

/**
 * Gives money of an invoice back, whole or in part: a credit note is issued, what is still open of the invoice is no
 * longer owed or asked for, and the rest goes to the card or becomes credit. Call it in a transaction; the same
 * `requestId` again answers the same note and sends nothing twice.
 * @throws BillingError `refund_exceeds_invoice`, `invoice_not_found`, `amount_malformed`
 */
export async function refundInvoice(
  manager: EntityManager,
  sagas: SagaStore,
  request: RefundRequest,
): Promise<CreditNote> {
  const { books } = await lockInvoice(manager, request.invoiceId);
  const note = await issueCreditNote(manager, request);
  await notePaid(manager, { accountId: books.accountId, at: request.at });
  if (note.settledMinor > 0) await startCollecting(manager, sagas, request.invoiceId);
  const subject = { type: 'credit_note', id: note.id };
  const isSent = (await sagas.list({ subject, limit: 1 }, manager)).length > 0;
  if (note.refundTo === 'card' && note.refundMinor > 0 && !isSent) {
    await startRefund(manager, sagas, note.id);
  }
  return note;
}

/** Sends what is not sent of a credit note to the cards, in the caller's transaction. */
export async function startRefund(
  manager: EntityManager,
  sagas: SagaStore,
  creditNoteId: number,
): Promise<void> {
  const subject = { type: 'credit_note', id: creditNoteId };
  await sagas.start(manager, sendRefundRequest, { creditNoteId }, { subject });
}
