import type { EntityManager } from 'typeorm';
import { newId } from '#libs/kernel';
import { refundsPayableMinor } from './collected.ts';
import { type Invoice, lockInvoice } from './invoices.ts';
import { credit, debit, post } from './ledger.ts';
import { returnAsCredit } from './returned-credit.ts';

/** What of a credit note goes back to one payment. */
export interface CardRefund {
  readonly id: number;
  readonly paymentId: string;
  readonly amountMinor: number;
  /** The provider's; null until it was sent. */
  readonly providerId: string | null;
  /** Also where a bank has given the money back before the provider could. */
  readonly isSent: boolean;
}

export function cardRefunds(manager: EntityManager, creditNoteId: number): Promise<CardRefund[]> {
  return manager.query<CardRefund[]>(
    `SELECT id, payment_id AS "paymentId", amount_minor AS "amountMinor", provider_id AS "providerId",
            sent_at IS NOT NULL AS "isSent"
     FROM card_refunds WHERE credit_note_id = $1 ORDER BY payment_id`,
    [creditNoteId],
  );
}

export async function noteRefundSent(
  manager: EntityManager,
  id: number,
  providerId: string,
  at: Date,
): Promise<void> {
  await manager.query('UPDATE card_refunds SET provider_id = $2, sent_at = $3 WHERE id = $1', [
    id,
    providerId,
    at,
  ]);
}

/** Refunds that were promised to a payment and are not known to be sent. */
export async function refundsWaitingFor(
  manager: EntityManager,
  paymentId: string,
): Promise<readonly number[]> {
  const rows = await manager.query<{ id: number }[]>(
    'SELECT id FROM card_refunds WHERE payment_id = $1 AND sent_at IS NULL ORDER BY id',
    [paymentId],
  );
  return rows.map(({ id }) => id);
}

/** Credit notes of which something waits to be sent to a payment: a bank holds it back, and refunds of it are refused. */
export async function notesWaitingFor(manager: EntityManager, paymentId: string): Promise<readonly number[]> {
  const rows = await manager.query<{ id: number }[]>(
    'SELECT DISTINCT credit_note_id AS id FROM card_refunds WHERE payment_id = $1 AND sent_at IS NULL ORDER BY id',
    [paymentId],
  );
  return rows.map(({ id }) => id);
}

/**
 * A bank has given up to so much of a payment back to its owner for good: refunds that were promised to it and not sent
 * have reached them like that. The caller holds the account's books for `money`, and posts the amount. @returns it
 */
export async function coverRefunds(
  manager: EntityManager,
  { paymentId, upToMinor, at }: { paymentId: string; upToMinor: number; at: Date },
): Promise<number> {
  const [covered] = await manager.query<[{ amountMinor: number }[], number]>(
    `UPDATE card_refunds SET sent_at = $3 WHERE id IN (
       SELECT id FROM (SELECT id, sum(amount_minor) OVER (ORDER BY id) AS until FROM card_refunds
                       WHERE payment_id = $1 AND sent_at IS NULL) AS waiting
       WHERE until <= $2)
     RETURNING amount_minor AS "amountMinor"`,
    [paymentId, upToMinor, at],
  );
  return covered.reduce((sum, { amountMinor }) => sum + amountMinor, 0);
}

/**
 * Divides what a credit note promises to cards among the provider's payments of its invoice, the last one first. What
 * was given back by hand before counts as sent; what no card has paid becomes credit. A note
 * that has been divided stays so.
 */
export async function planCardRefunds(
  manager: EntityManager,
  { creditNoteId, at }: { readonly creditNoteId: number; readonly at: Date },
): Promise<CardRefund[]> {
  const [note] = await manager.query<{ invoiceId: number; refundMinor: number }[]>(
    'SELECT invoice_id AS "invoiceId", refund_minor AS "refundMinor" FROM credit_notes WHERE id = $1',
    [creditNoteId],
  );
  if (!note) throw new Error(`there is no credit note ${creditNoteId}`);
  const { invoice } = await lockInvoice(manager, note.invoiceId);
  const divided = await cardRefunds(manager, creditNoteId);
  if (divided.length > 0) return divided;
  let left = Math.min(note.refundMinor, await unplannedMinor(manager, invoice));
  for (const { paymentId, leftMinor } of await paymentsOf(manager, invoice.id)) {
    const amountMinor = Math.min(left, leftMinor);
    if (amountMinor <= 0) continue;
    left -= amountMinor;
    await manager.query(
      'INSERT INTO card_refunds (id, credit_note_id, payment_id, amount_minor) VALUES ($1, $2, $3, $4)',
      [newId(), creditNoteId, paymentId, amountMinor],
    );
  }
  if (left > 0) await giveAsCredit(manager, invoice, { creditNoteId, amountMinor: left, at });
  return cardRefunds(manager, creditNoteId);
}

/** What is owed to the customer's cards and not on its way yet. */
async function unplannedMinor(
  manager: EntityManager,
  { accountId, currency }: Pick<Invoice, 'accountId' | 'currency'>,
): Promise<number> {
  const [planned] = await manager.query<{ minor: number }[]>(
    `SELECT coalesce(sum(r.amount_minor), 0)::bigint AS minor
     FROM card_refunds r JOIN credit_notes n ON n.id = r.credit_note_id JOIN invoices i ON i.id = n.invoice_id
     WHERE i.account_id = $1 AND r.sent_at IS NULL`,
    [accountId],
  );
  const owedMinor = await refundsPayableMinor(manager, accountId, currency);
  return Math.max(0, owedMinor - (planned?.minor ?? 0));
}

/** The provider's payments of an invoice, the last one first, with what refunds have left of each. */
function paymentsOf(
  manager: EntityManager,
  invoiceId: number,
): Promise<{ paymentId: string; leftMinor: number }[]> {
  return manager.query(
    `SELECT split_part(s.cause_id, '/', 1) AS "paymentId",
            s.amount_minor - coalesce((SELECT sum(r.amount_minor) FROM card_refunds r
              JOIN credit_notes n ON n.id = r.credit_note_id
              WHERE n.invoice_id = s.invoice_id AND r.payment_id = split_part(s.cause_id, '/', 1)), 0)::bigint
              AS "leftMinor"
     FROM invoice_settlements s
     JOIN ledger_transactions t ON t.cause_kind = 'invoice_payment' AND t.cause_id = s.cause_id
     JOIN ledger_entries e ON e.transaction_id = t.id AND e.account = 'stripe_clearing'
     WHERE s.invoice_id = $1 AND s.kind = 'payment' ORDER BY s.settled_at DESC, s.cause_id`,
    [invoiceId],
  );
}

async function giveAsCredit(
  manager: EntityManager,
  { id: invoiceId, accountId: customerId, currency }: Invoice,
  given: { readonly creditNoteId: number; readonly amountMinor: number; readonly at: Date },
): Promise<void> {
  const { amountMinor, at } = given;
  const cause = { kind: 'refund_as_credit', id: String(given.creditNoteId) };
  const of = { customerId };
  const entries = [debit('refunds_payable', amountMinor, of), credit('customer_credit', amountMinor, of)];
  await post(manager, { cause, at, currency, entries });
  const returned = { accountId: customerId, currency, amountMinor, at, cause, invoiceId };
  await returnAsCredit(manager, { ...returned, note: 'Refund of what credit had paid' });
}
