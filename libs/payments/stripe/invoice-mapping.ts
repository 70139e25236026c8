import type { Currency } from '#libs/kernel';
import type { InvoiceLine, InvoiceStatus, ProviderInvoice } from '../port-invoices.ts';
import { declineOf } from './errors.ts';
import { ACCOUNT_KEY, idOf, ownId, REFERENCE_KEY } from './mapping.ts';
import type { Stripe } from './types.ts';

/** @param invoice with `payments` expanded; with their payment intents too, where the last decline is wanted. */
export function invoiceOf(invoice: Stripe.Invoice): ProviderInvoice {
  const payments = invoice.payments?.data ?? [];
  const payment = payments.find(({ is_default }) => is_default) ?? payments[0];
  const reference = payment?.payment.payment_intent;
  const intent = typeof reference === 'object' ? reference : null;
  const error = intent?.last_payment_error;
  return {
    invoiceId: invoice.id,
    customerId: idOf(invoice.customer) ?? '',
    accountId: ownId(invoice.metadata, ACCOUNT_KEY),
    reference: invoice.metadata?.[REFERENCE_KEY],
    status: (invoice.status ?? 'draft') as InvoiceStatus,
    number: invoice.number ?? undefined,
    currency: invoice.currency as Currency,
    totalMinor: invoice.total,
    dueMinor: invoice.amount_due,
    paidMinor: invoice.amount_paid,
    remainingMinor: invoice.amount_remaining,
    paymentId: idOf(reference),
    attempts: invoice.attempt_count,
    nextAttemptAt: dateOf(invoice.next_payment_attempt),
    dueAt: dateOf(invoice.due_date),
    createdAt: new Date(invoice.created * 1000),
    finalizedAt: dateOf(invoice.status_transitions.finalized_at),
    paidAt: dateOf(invoice.status_transitions.paid_at),
    decline: error ? declineOf(error) : askedDecline(intent),
    actionUrl: intent?.next_action?.redirect_to_url?.url ?? undefined,
    pageUrl: invoice.hosted_invoice_url ?? undefined,
    pdfUrl: invoice.invoice_pdf ?? undefined,
  };
}

/** A payment that waits for its customer's confirmation was not made. */
function askedDecline(intent: Stripe.PaymentIntent | null): ProviderInvoice['decline'] {
  return intent?.status === 'requires_action'
    ? { code: 'authentication_required', isFinal: true }
    : undefined;
}

export function invoiceLineOf(line: Stripe.InvoiceLineItem | Stripe.InvoiceItem): InvoiceLine {
  return {
    lineId: line.id,
    reference: line.metadata?.[REFERENCE_KEY],
    amountMinor: line.amount,
    currency: line.currency as Currency,
    description: line.description ?? '',
  };
}

export function dateOf(unixSeconds: number | null | undefined): Date | undefined {
  return typeof unixSeconds === 'number' ? new Date(unixSeconds * 1000) : undefined;
}
