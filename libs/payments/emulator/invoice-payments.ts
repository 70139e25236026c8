import type { Stripe } from '../stripe/types.ts';
import { cancelIntent } from './intents.ts';
import { type Invoice, newInvoicePayment, paymentOf } from './invoice-objects.ts';
import { newPaymentIntent } from './objects.ts';
import { idOf, type World } from './world.ts';

/** Makes the payment intent that collects an invoice. */
export function askFor(world: World, invoice: Invoice): void {
  const intent = newPaymentIntent(world, {
    amount: invoice.amount_remaining,
    currency: invoice.currency,
    customer: invoice.customer,
    description: 'Payment for Invoice',
    payment_details: { customer_reference: null, order_reference: invoice.id },
  });
  world.store.put('payment_intent', intent);
  world.store.put('owner', { id: intent.id, invoiceId: invoice.id });
  const payment = world.store.put('invoice_payment', newInvoicePayment(invoice, intent));
  world.store.put('intent_of', { id: invoice.id, paymentId: payment.id });
  world.emit('payment_intent.created', intent);
}

/** The payment intent that collects an open invoice. */
export function intentOfInvoice(world: World, invoice: Invoice): Stripe.PaymentIntent | undefined {
  const payment = paymentOf(world, invoice.id);
  return payment && world.find('payment_intent', idOf(payment.payment.payment_intent ?? ''));
}

/** Marks an invoice as paid: by its intent where that succeeded, else by other means. */
export function markPaid(world: World, invoice: Invoice): Invoice {
  const now = world.now(invoice.customer);
  const payment = paymentOf(world, invoice.id);
  const intent = payment && intentOfInvoice(world, invoice);
  const isByCard = intent?.status === 'succeeded';
  if (payment) {
    world.store.put('invoice_payment', {
      ...payment,
      amount_paid: isByCard ? intent.amount_received : null,
      status: isByCard ? 'paid' : 'canceled',
      status_transitions: { canceled_at: isByCard ? null : now, paid_at: isByCard ? now : null },
    });
  }
  const paid = world.store.put('invoice', {
    ...invoice,
    status: 'paid',
    amount_paid: invoice.amount_due,
    amount_remaining: 0,
    attempted: true,
    next_payment_attempt: null,
    status_transitions: { ...invoice.status_transitions, paid_at: now },
  });
  if (intent && !isByCard && intent.status !== 'canceled') cancelIntent(world, intent, 'void_invoice');
  world.emit('invoice.paid', paid);
  if (isByCard) world.emit('invoice.payment_succeeded', paid);
  return paid;
}
