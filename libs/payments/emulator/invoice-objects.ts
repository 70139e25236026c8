import type { Stripe } from '../stripe/types.ts';
import { stripeId, type World } from './world.ts';

export type Invoice = Stripe.Invoice;

/** How many lines an invoice carries with it; the others are listed apart. */
const EMBEDDED_LINES = 10;

export function newInvoice(
  world: World,
  customer: Stripe.Customer,
  given: Partial<Invoice> & Pick<Invoice, 'currency' | 'collection_method'>,
): Invoice {
  const id = stripeId('in');
  const now = world.now(customer);
  return {
    id,
    object: 'invoice',
    account_country: 'DE',
    account_name: 'Servery',
    account_tax_ids: null,
    amount_due: 0,
    amount_overpaid: 0,
    amount_paid: 0,
    amount_remaining: 0,
    amount_shipping: 0,
    application: null,
    attempt_count: 0,
    attempted: false,
    auto_advance: false,
    automatic_tax: { disabled_reason: null, enabled: false, liability: null, provider: null, status: null },
    automatically_finalizes_at: null,
    billing_reason: 'manual',
    created: now,
    custom_fields: null,
    customer: customer.id,
    customer_account: null,
    customer_address: customer.address ?? null,
    customer_email: customer.email,
    customer_name: customer.name ?? null,
    customer_phone: customer.phone ?? null,
    customer_shipping: null,
    customer_tax_exempt: customer.tax_exempt ?? 'none',
    customer_tax_ids: [],
    default_payment_method: null,
    default_source: null,
    default_tax_rates: [],
    description: null,
    discounts: [],
    due_date: null,
    effective_at: null,
    ending_balance: null,
    footer: null,
    from_invoice: null,
    hosted_invoice_url: null,
    invoice_pdf: null,
    issuer: { type: 'self' },
    last_finalization_error: null,
    latest_revision: null,
    lines: { object: 'list', data: [], has_more: false, url: `/v1/invoices/${id}/lines` },
    livemode: false,
    metadata: {},
    next_payment_attempt: null,
    number: null,
    on_behalf_of: null,
    parent: null,
    payment_settings: { default_mandate: null, payment_method_options: null, payment_method_types: null },
    period_end: now,
    period_start: now,
    post_payment_credit_notes_amount: 0,
    pre_payment_credit_notes_amount: 0,
    receipt_number: null,
    rendering: null,
    shipping_cost: null,
    shipping_details: null,
    starting_balance: 0,
    statement_descriptor: null,
    status: 'draft',
    status_transitions: {
      finalized_at: null,
      marked_uncollectible_at: null,
      paid_at: null,
      voided_at: null,
    },
    subtotal: 0,
    subtotal_excluding_tax: 0,
    test_clock: customer.test_clock ?? null,
    total: 0,
    total_discount_amounts: [],
    total_excluding_tax: 0,
    total_pretax_credit_amounts: [],
    total_taxes: [],
    webhooks_delivered_at: null,
    ...given,
  };
}

export interface ItemParams {
  readonly amount: number;
  readonly description: string | null;
  readonly metadata: Stripe.Metadata;
  readonly period: { start: number; end: number };
}

export function newInvoiceItem(
  world: World,
  customer: Stripe.Customer,
  invoiceId: string | null,
  given: ItemParams & { currency: string },
): Stripe.InvoiceItem {
  return {
    id: stripeId('ii'),
    object: 'invoiceitem',
    customer: customer.id,
    customer_account: null,
    date: world.now(customer),
    discountable: true,
    discounts: [],
    invoice: invoiceId,
    livemode: false,
    net_amount: given.amount,
    parent: null,
    pricing: null,
    proration: false,
    quantity: 1,
    // Stripe's client reads decimals from text into a type of its own.
    quantity_decimal: '1' as unknown as Stripe.InvoiceItem['quantity_decimal'],
    tax_rates: [],
    test_clock: customer.test_clock ?? null,
    ...given,
  };
}

/** The line that an item becomes on its invoice. */
export function lineOf(item: Stripe.InvoiceItem, invoiceId: string): Stripe.InvoiceLineItem {
  return {
    id: `il_${item.id.slice(3)}`,
    object: 'line_item',
    amount: item.amount,
    currency: item.currency,
    description: item.description,
    discount_amounts: [],
    discountable: true,
    discounts: [],
    invoice: invoiceId,
    livemode: false,
    metadata: item.metadata ?? {},
    parent: {
      invoice_item_details: {
        invoice_item: item.id,
        proration: false,
        proration_details: null,
        subscription: null,
      },
      subscription_item_details: null,
      type: 'invoice_item_details',
    },
    period: item.period,
    pretax_credit_amounts: [],
    pricing: null,
    quantity: 1,
    quantity_decimal: item.quantity_decimal,
    subscription: null,
    subtotal: item.amount,
    taxes: [],
  };
}

/** Puts a draft's lines and their sum on it. */
export function withLines(world: World, invoice: Invoice, lineIds: readonly string[]): Invoice {
  world.store.put('lines', { id: invoice.id, lineIds });
  const lines = lineIds.map((id) => world.find('line_item', id));
  const sum = lines.reduce((total, line) => total + line.amount, 0);
  const starts = lines.map((line) => line.period.start);
  const ends = lines.map((line) => line.period.end);
  return world.store.put('invoice', {
    ...invoice,
    lines: {
      ...invoice.lines,
      data: lines.slice(0, EMBEDDED_LINES),
      has_more: lines.length > EMBEDDED_LINES,
    },
    subtotal: sum,
    subtotal_excluding_tax: sum,
    total: sum,
    total_excluding_tax: sum,
    amount_due: Math.max(sum, 0),
    amount_remaining: Math.max(sum, 0),
    period_start: starts.length > 0 ? Math.min(...starts) : invoice.period_start,
    period_end: ends.length > 0 ? Math.max(...ends) : invoice.period_end,
  });
}

export function linesOf(world: World, invoiceId: string): readonly string[] {
  return world.store.get('lines', invoiceId)?.lineIds ?? [];
}

/** Ties an invoice to the payment intent that collects it. */
export function newInvoicePayment(invoice: Invoice, intent: Stripe.PaymentIntent): Stripe.InvoicePayment {
  return {
    id: stripeId('inpay'),
    object: 'invoice_payment',
    amount_paid: null,
    amount_requested: intent.amount,
    created: intent.created,
    currency: intent.currency,
    invoice: invoice.id,
    is_default: true,
    livemode: false,
    payment: { payment_intent: intent.id, type: 'payment_intent' },
    status: 'open',
    status_transitions: { canceled_at: null, paid_at: null },
  };
}

/** The payment of an invoice that still counts. */
export function paymentOf(world: World, invoiceId: string): Stripe.InvoicePayment | undefined {
  const paymentId = world.store.get('intent_of', invoiceId)?.paymentId;
  return paymentId === undefined ? undefined : world.store.get('invoice_payment', paymentId);
}
