import { changeBalance } from './customer-balance.ts';
import { cancelIntent } from './intents.ts';
import { type Invoice, paymentOf } from './invoice-objects.ts';
import { intentOfInvoice } from './invoice-payments.ts';
import { invalid } from './problem.ts';
import { idOf, type World } from './world.ts';

/** @throws StripeProblem 400 unless it is open or uncollectible. */
export function voidInvoice(world: World, invoice: Invoice): Invoice {
  if (invoice.status !== 'open' && invoice.status !== 'uncollectible') {
    throw invalid('You can only pass in open or uncollectible invoices.', {
      code: 'status_transition_invalid',
    });
  }
  const now = world.now(invoice.customer);
  const voided = world.store.put('invoice', {
    ...invoice,
    status: 'void',
    next_payment_attempt: null,
    status_transitions: { ...invoice.status_transitions, voided_at: now },
  });
  const payment = paymentOf(world, invoice.id);
  if (payment) {
    const status_transitions = { canceled_at: now, paid_at: null };
    world.store.put('invoice_payment', { ...payment, status: 'canceled', status_transitions });
  }
  const intent = intentOfInvoice(world, invoice);
  if (intent && intent.status !== 'canceled') cancelIntent(world, intent, 'void_invoice');
  returnBalance(world, invoice);
  world.emit('invoice.voided', voided);
  return voided;
}

/** Gives back what a voided invoice took of its customer's balance. */
function returnBalance(
  world: World,
  { id, customer, currency, ending_balance, starting_balance }: Invoice,
): void {
  const taken = (ending_balance ?? starting_balance) - starting_balance;
  const owner = world.store.get('customer', idOf(customer ?? ''));
  if (taken === 0 || !owner || 'deleted' in owner) return;
  changeBalance(world, idOf(customer ?? ''), -taken, {
    type: 'unapplied_from_invoice',
    currency,
    invoice: id,
  });
}

/** @throws StripeProblem 400 unless it is open. */
export function markUncollectible(world: World, invoice: Invoice): Invoice {
  if (invoice.status !== 'open') {
    throw invalid('You can only pass in open invoices.', { code: 'status_transition_invalid' });
  }
  const marked_uncollectible_at = world.now(invoice.customer);
  const marked = world.store.put('invoice', {
    ...invoice,
    status: 'uncollectible',
    next_payment_attempt: null,
    status_transitions: { ...invoice.status_transitions, marked_uncollectible_at },
  });
  world.emit('invoice.marked_uncollectible', marked);
  return marked;
}
