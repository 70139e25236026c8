import {
  type BillingProfile,
  type Collection,
  type CreditNote,
  formatNumber,
  type Invoice,
  type InvoiceLine,
  type InvoiceSettlement,
  type Seller,
} from '#libs/billing';
import type { CreditNoteWire, InvoiceDetailsWire, InvoiceLineWire, InvoiceWire } from '#libs/contracts';
import { formatMicro } from '#libs/kernel';
import { wireTime, wireTimeOrNull } from '../http/wire.ts';

/** What has become of an invoice. */
export interface InvoiceHistory {
  readonly settlements: readonly InvoiceSettlement[];
  readonly creditNotes: readonly CreditNote[];
  /** What asks for it at the provider; the newest first. */
  readonly collections: readonly Collection[];
}

export function presentInvoice(invoice: Invoice, now: Date): InvoiceWire {
  return {
    id: invoice.id,
    account_id: invoice.accountId,
    number: formatNumber(invoice),
    status: statusOf(invoice, now),
    reason: invoice.reason,
    currency: invoice.currency,
    period: { from: wireTime(invoice.periodFrom), until: wireTime(invoice.periodUntil) },
    issued: wireTime(invoice.issuedAt),
    due: wireTime(invoice.dueAt),
    net_minor: invoice.netMinor,
    tax: {
      treatment: invoice.taxTreatment,
      country: invoice.taxCountry,
      percent: invoice.taxBasisPoints / 100,
      amount_minor: invoice.taxMinor,
    },
    total_minor: invoice.totalMinor,
    open_minor: invoice.openMinor,
  };
}

export function presentInvoiceDetails(
  invoice: Invoice,
  { settlements, creditNotes, collections }: InvoiceHistory,
  now: Date,
): InvoiceDetailsWire {
  return {
    ...presentInvoice(invoice, now),
    customer: presentParty(invoice.customer),
    seller: presentParty(invoice.seller),
    settlements: settlements.map((one) => ({
      kind: one.kind,
      amount_minor: one.amountMinor,
      at: wireTime(one.settledAt),
    })),
    credit_notes: creditNotes.map(presentCreditNote),
    collection: presentCollection(collections[0]),
  };
}

export function presentCreditNote(note: CreditNote): CreditNoteWire {
  return {
    id: note.id,
    invoice_id: note.invoiceId,
    number: formatNumber(note),
    issued: wireTime(note.issuedAt),
    net_minor: note.netMinor,
    tax_minor: note.taxMinor,
    total_minor: note.totalMinor,
    settled_minor: note.settledMinor,
    refund_minor: note.refundMinor,
    refund_to: note.refundTo,
    reason: note.reason,
  };
}

export function presentLine(line: InvoiceLine): InvoiceLineWire {
  return {
    line: line.line,
    server: line.serverId === null ? null : { id: line.serverId, name: line.serverName },
    kind: line.component as InvoiceLineWire['kind'],
    title: line.title,
    slot: line.slot,
    from: wireTime(line.usedFrom),
    until: wireTime(line.usedUntil),
    seconds: line.seconds,
    billed_seconds: line.billedSeconds,
    quantity: line.quantity,
    price_hourly: formatMicro(line.hourlyMicro),
    net_minor: line.amountMinor,
  };
}

function statusOf({ openMinor, dueAt }: Invoice, now: Date): InvoiceWire['status'] {
  if (openMinor === 0) return 'paid';
  return dueAt < now ? 'overdue' : 'open';
}

function presentParty({ name, address, country, vatId }: Partial<BillingProfile> | Seller) {
  return {
    name: name ?? null,
    address: address ?? null,
    country: country ?? null,
    vat_id: vatId ?? null,
  };
}

function presentCollection(collection: Collection | undefined): InvoiceDetailsWire['collection'] {
  if (!collection) return null;
  return {
    status: collection.status,
    hosted_url: collection.pageUrl,
    pdf_url: collection.pdfUrl,
    action_url: collection.actionUrl,
    failure: collection.declineCode,
    next_attempt: wireTimeOrNull(collection.nextAttemptAt),
  };
}
