import type { EntityManager } from 'typeorm';
import { newId } from '#libs/kernel';
import { BillingError } from './billing.errors.ts';
import { type DocumentNumber, nextNumber } from './document-number.ts';
import { divideHalfEven } from './exact.ts';
import { type Invoice, lockInvoice } from './invoices.ts';
import { assertAmount, credit, debit, post } from './ledger.ts';
import { returnAsCredit } from './returned-credit.ts';
import { billingSettings } from './settings.ts';
import { noteSettlement } from './settlements.ts';

/** Money of an invoice that is given back, tax included. */
export interface RefundRequest {
  readonly invoiceId: number;
  /** Makes it safe to repeat: one credit note per request. */
  readonly requestId: string;
  readonly amountMinor: number;
  /** Where what has been paid goes; what is still open is simply no longer owed. */
  readonly refundTo: 'card' | 'credit';
  /** For the customer. */
  readonly reason: string;
  readonly at: Date;
}

export interface CreditNote extends DocumentNumber {
  readonly id: number;
  readonly invoiceId: number;
  readonly issuedAt: Date;
  readonly netMinor: number;
  readonly taxMinor: number;
  readonly totalMinor: number;
  /** What is no longer owed. */
  readonly settledMinor: number;
  /** What goes back. To a card it is owed, on `refunds_payable`, until `recordRefunded`. */
  readonly refundMinor: number;
  readonly refundTo: 'card' | 'credit';
  readonly reason: string;
}

/**
 * Issues a credit note over a part of an invoice or all of it: revenue and tax are taken back in proportion, what is
 * open is settled first, and the rest goes back. Call it in a transaction; the same request again gets the same note.
 * @throws BillingError `refund_exceeds_invoice` when more would be given back than is left of the invoice;
 * `invoice_not_found`, `amount_malformed`
 */
export async function issueCreditNote(manager: EntityManager, request: RefundRequest): Promise<CreditNote> {
  assertAmount(request.amountMinor);
  const { invoice } = await lockInvoice(manager, request.invoiceId);
  const [known] = await creditNotes(manager, { requestId: request.requestId });
  if (known) return known;
  const { netMinor, taxMinor } = await sharesOf(manager, invoice, request.amountMinor);
  const settledMinor = Math.min(request.amountMinor, invoice.openMinor);
  const id = newId();
  const refundMinor = request.amountMinor - settledMinor;
  await postNote(manager, invoice, request, { id, netMinor, taxMinor, settledMinor, refundMinor });
  const { creditNoteSeries } = await billingSettings(manager);
  const { series, number } = await nextNumber(manager, creditNoteSeries);
  await manager.query(
    `INSERT INTO credit_notes (id, invoice_id, request_id, series, number, issued_at, net_minor, tax_minor,
                               settled_minor, refund_minor, refund_to, reason)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
    [
      id,
      invoice.id,
      request.requestId,
      series,
      number,
      request.at,
      netMinor,
      taxMinor,
      settledMinor,
      refundMinor,
      request.refundTo,
      request.reason,
    ],
  );
  const [note] = await creditNotes(manager, { requestId: request.requestId });
  if (!note) throw new Error(`credit note ${id} has vanished`);
  return note;
}

/** Those of an account or of an invoice, the newest first. */
export async function creditNotes(
  manager: EntityManager,
  of: { readonly accountId?: number; readonly invoiceId?: number; readonly requestId?: string },
): Promise<CreditNote[]> {
  return manager.query<CreditNote[]>(
    `SELECT n.id, n.invoice_id AS "invoiceId", n.series, n.number, n.issued_at AS "issuedAt",
            n.net_minor AS "netMinor", n.tax_minor AS "taxMinor", n.total_minor AS "totalMinor",
            n.settled_minor AS "settledMinor", n.refund_minor AS "refundMinor", n.refund_to AS "refundTo", n.reason
     FROM credit_notes n JOIN invoices i ON i.id = n.invoice_id
     WHERE ($1::bigint IS NULL OR i.account_id = $1) AND ($2::bigint IS NULL OR i.id = $2)
       AND ($3::text IS NULL OR n.request_id = $3)
     ORDER BY n.issued_at DESC, n.number DESC`,
    [of.accountId ?? null, of.invoiceId ?? null, of.requestId ?? null],
  );
}

/** Net and tax of an amount: all notes of an invoice together never differ from their share by a rounding. */
async function sharesOf(
  manager: EntityManager,
  invoice: Invoice,
  amountMinor: number,
): Promise<{ netMinor: number; taxMinor: number }> {
  const notes = await creditNotes(manager, { invoiceId: invoice.id });
  const before = notes.reduce((sum, { totalMinor }) => sum + totalMinor, 0);
  const left = invoice.totalMinor - before;
  if (amountMinor > left) {
    throw new BillingError(
      'refund_exceeds_invoice',
      `${left} minor units are left of this invoice to be given back`,
    );
  }
  const taxUntil = divideHalfEven(
    BigInt(invoice.taxMinor) * BigInt(before + amountMinor),
    BigInt(invoice.totalMinor),
  );
  const taxMinor = Number(taxUntil) - notes.reduce((sum, note) => sum + note.taxMinor, 0);
  return { netMinor: amountMinor - taxMinor, taxMinor };
}

async function postNote(
  manager: EntityManager,
  invoice: Invoice,
  request: RefundRequest,
  note: Pick<CreditNote, 'id' | 'netMinor' | 'taxMinor' | 'settledMinor' | 'refundMinor'>,
): Promise<void> {
  const { accountId: customerId, currency } = invoice;
  const cause = { kind: 'credit_note', id: String(note.id) };
  const backTo = request.refundTo === 'credit' ? 'customer_credit' : 'refunds_payable';
  await post(manager, {
    cause,
    at: request.at,
    currency,
    entries: [
      debit('refunds', note.netMinor),
      debit('tax', note.taxMinor, { detail: invoice.taxCountry ?? '' }),
      credit('receivable', note.settledMinor, { customerId }),
      credit(backTo, note.refundMinor, { customerId }),
    ],
  });
  if (note.settledMinor > 0) {
    const settled = { invoiceId: invoice.id, cause, at: request.at, amountMinor: note.settledMinor };
    await noteSettlement(manager, { ...settled, kind: 'credit_note' });
  }
  if (note.refundMinor === 0 || request.refundTo !== 'credit') return;
  const returned = { accountId: customerId, currency, amountMinor: note.refundMinor, at: request.at, cause };
  await returnAsCredit(manager, { ...returned, invoiceId: invoice.id, note: request.reason });
}
