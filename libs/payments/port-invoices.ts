import type { Currency } from '#libs/kernel';
import type { Decline, Keyed } from './port-common.ts';

/**
 * Invoices at the provider: it shows them to the customer and collects them. The sums are ours; no tax and no
 * discount is worked out there.
 *
 * Where a call was answered with a failure of the provider's own (`isAnswered` of the error), its key is spent:
 * look with the `find…` method whether it had its effect, before another key is taken.
 */
export interface InvoiceProvider {
  /** Begins a draft. */
  create(request: CreateInvoice): Promise<ProviderInvoice>;
  /** Adds a line to a draft. */
  addLine(request: AddInvoiceLine): Promise<InvoiceLine>;
  /**
   * Fixes a draft; it gets its number and its page. The customer's balance counts in. Nothing is charged yet;
   * with `retries` the provider collects it by itself from then on, and tries again after a decline.
   */
  finalize(request: { invoiceId: string; retries: boolean } & Keyed): Promise<ProviderInvoice>;
  /**
   * Collects an open invoice now, with a card or with the default one. A decline is an answer: the invoice is
   * still open then and says why. @throws PaymentError `no_card`, `invoice_not_open`.
   */
  pay(request: { invoiceId: string; cardId?: string } & Keyed): Promise<ProviderInvoice>;
  /** Marks an invoice as paid by other means than the provider. */
  settleElsewhere(request: { invoiceId: string } & Keyed): Promise<ProviderInvoice>;
  /** Sends an invoice with terms to its customer. */
  send(request: { invoiceId: string } & Keyed): Promise<ProviderInvoice>;
  /** Takes an unpaid invoice back, for good. @throws PaymentError `invoice_not_open` where it is paid. */
  void(request: { invoiceId: string } & Keyed): Promise<ProviderInvoice>;
  /** Writes an open invoice off; it may still be paid. @throws PaymentError `invoice_not_open`. */
  writeOff(request: { invoiceId: string } & Keyed): Promise<ProviderInvoice>;
  /** Throws a draft away. One that is gone already is no error. @throws PaymentError `invoice_not_open`. */
  discard(request: { invoiceId: string } & Keyed): Promise<void>;

  /** What is true now about an invoice. @throws PaymentError `invoice_not_found`. */
  fetch(invoiceId: string): Promise<ProviderInvoice>;
  /** An invoice of ours by its reference. */
  find(request: { customerId: string; reference: string }): Promise<ProviderInvoice | undefined>;
  /** All lines of an invoice, in their order. */
  listLines(invoiceId: string): Promise<readonly InvoiceLine[]>;
  /** Invoices created since a moment, newest first. */
  list(since: Date): AsyncIterable<ProviderInvoice>;
}

export interface CreateInvoice extends Keyed {
  readonly accountId: number;
  readonly customerId: string;
  readonly currency: Currency;
  /** Ours, by which it is found again. 1–200 characters. */
  readonly reference: string;
  readonly description?: string;
  /** Our own number, 1–26 characters; without it the provider counts. */
  readonly number?: string;
  /** Whether it is charged to the card, or sent and paid within so many days. */
  readonly collection: { readonly by: 'card' } | { readonly by: 'terms'; readonly days: number };
}

export interface AddInvoiceLine extends Keyed {
  readonly invoiceId: string;
  readonly customerId: string;
  /** May be below zero. */
  readonly amountMinor: number;
  readonly currency: Currency;
  readonly description: string;
  /** Ours, by which it is found again. */
  readonly reference: string;
  readonly from: Date;
  readonly to: Date;
}

export interface InvoiceLine {
  readonly lineId: string;
  readonly reference: string | undefined;
  readonly amountMinor: number;
  readonly currency: Currency;
  readonly description: string;
}

/** `void` and `paid` are final. */
export type InvoiceStatus = 'draft' | 'open' | 'paid' | 'uncollectible' | 'void';

export interface ProviderInvoice {
  readonly invoiceId: string;
  readonly customerId: string;
  readonly accountId: number | undefined;
  readonly reference: string | undefined;
  readonly status: InvoiceStatus;
  readonly number: string | undefined;
  readonly currency: Currency;
  /** The lines' sum. */
  readonly totalMinor: number;
  /** What is asked for when the customer's balance at the provider counted in. */
  readonly dueMinor: number;
  readonly paidMinor: number;
  readonly remainingMinor: number;
  /** The payment that collects it, once it is finalized and something is due. */
  readonly paymentId: string | undefined;
  /** Attempts of the provider's own schedule; the first attempt counts whoever made it. */
  readonly attempts: number;
  readonly nextAttemptAt: Date | undefined;
  readonly dueAt: Date | undefined;
  readonly createdAt: Date;
  readonly finalizedAt: Date | undefined;
  readonly paidAt: Date | undefined;
  /** Why the last attempt failed. */
  readonly decline: Decline | undefined;
  /** Where the customer confirms a payment that their bank asks about. */
  readonly actionUrl: string | undefined;
  /** The provider's page of it, where it may be paid too. */
  readonly pageUrl: string | undefined;
  readonly pdfUrl: string | undefined;
}
