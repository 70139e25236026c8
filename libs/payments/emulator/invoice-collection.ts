import type { Stripe } from '../stripe/types.ts';
import { changeBalance } from './customer-balance.ts';
import { liveCustomer } from './customers.ts';
import type { Due } from './due.ts';
import { cancelIntent, confirmIntent, LEAST_AMOUNT } from './intents.ts';
import { type Invoice, newInvoicePayment, paymentOf } from './invoice-objects.ts';
import { newPaymentIntent } from './objects.ts';
import { invalid, StripeProblem } from './problem.ts';
import { idOf, reaction, type World } from './world.ts';

const DAY_SECONDS = 86_400;
const HOUR_SECONDS = 3600;
/** When a declined invoice is tried again, counted from each failure; then Stripe gives up. */
const RETRY_DAYS = [3, 5, 7];
/** Declines after which Stripe tries no more until the customer has another card. Source: Smart Retries. */
const HARD_DECLINES = ['lost_card', 'stolen_card', 'authentication_required', 'highest_risk_level'];

/**
 * Fixes a draft: number, sum due after the customer's balance, and the payment intent that collects it.
 * @throws StripeProblem 400 for an invoice that is no draft, or has no lines.
 */
export function finalize(world: World, draft: Invoice, autoAdvance = draft.auto_advance ?? false): Invoice {
  if (draft.status !== 'draft') {
    throw invalid("This invoice is already finalized, you can't re-finalize a non-draft invoice.", {
      code: 'invoice_not_editable',
    });
  }
  const customer = liveCustomer(world, idOf(draft.customer ?? ''), 'customer');
  const now = world.now(customer);
  const { due, ending } = applyBalance(draft.total, customer.balance);
  const isLater = autoAdvance && draft.collection_method === 'charge_automatically' && due > 0;
  const invoice = world.store.put('invoice', {
    ...draft,
    status: 'open',
    number: draft.number ?? nextNumber(world, customer),
    amount_due: due,
    amount_remaining: due,
    starting_balance: customer.balance,
    ending_balance: ending,
    auto_advance: autoAdvance,
    automatically_finalizes_at: null,
    next_payment_attempt: isLater ? now + HOUR_SECONDS : null,
    effective_at: draft.effective_at ?? now,
    hosted_invoice_url: `${world.publicUrl}/i/${draft.id}`,
    invoice_pdf: `${world.publicUrl}/i/${draft.id}/pdf`,
    status_transitions: { ...draft.status_transitions, finalized_at: now },
  });
  if (ending !== customer.balance) {
    changeBalance(world, customer.id, ending - customer.balance, {
      type:
        due === 0 && ending > customer.balance && draft.total < LEAST_AMOUNT
          ? 'invoice_too_small'
          : 'applied_to_invoice',
      currency: draft.currency,
      invoice: draft.id,
    });
  }
  if (due > 0) askFor(world, invoice);
  world.emit('invoice.finalized', invoice);
  return due > 0 ? invoice : markPaid(world, invoice);
}

/** What is due of `total` when the customer's balance counts in, and the balance afterwards. Below zero is credit. */
function applyBalance(total: number, balance: number): { due: number; ending: number } {
  const owed = total + balance;
  if (owed <= 0) return { due: 0, ending: owed };
  return owed < LEAST_AMOUNT ? { due: 0, ending: owed } : { due: owed, ending: 0 };
}

function nextNumber(world: World, customer: Stripe.Customer): string {
  const sequence = customer.next_invoice_sequence ?? 1;
  world.store.put('customer', { ...customer, next_invoice_sequence: sequence + 1 });
  return `${customer.invoice_prefix}-${String(sequence).padStart(4, '0')}`;
}

/** Makes the payment intent of an invoice. */
function askFor(world: World, invoice: Invoice): void {
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

/** The card that an invoice is collected from: its own, or the customer's default one. */
function cardOf(world: World, invoice: Invoice): string | undefined {
  if (invoice.default_payment_method) return idOf(invoice.default_payment_method);
  const customer = world.store.get('customer', idOf(invoice.customer ?? ''));
  const card = customer?.invoice_settings?.default_payment_method;
  return card ? idOf(card) : undefined;
}

export interface PayOptions {
  readonly payment_method?: string | undefined;
  readonly off_session?: boolean | undefined;
  readonly paid_out_of_band?: boolean | undefined;
}

/** Collects an invoice now. @throws StripeProblem 402 where the card is declined, 400 where it cannot be paid. */
export function pay(world: World, given: Invoice, options: PayOptions): Invoice {
  const invoice = given.status === 'draft' ? finalize(world, given) : given;
  if (invoice.status === 'paid') {
    if (given.status === 'draft') return invoice;
    throw invalid('Invoice is already paid', { code: 'invoice_already_paid' });
  }
  if (invoice.status !== 'open' && invoice.status !== 'uncollectible') {
    throw invalid(`This invoice cannot be paid: it is ${invoice.status}.`, { code: 'invoice_not_editable' });
  }
  if (options.paid_out_of_band) return markPaid(world, invoice);
  const card = options.payment_method ?? cardOf(world, invoice);
  if (!card) {
    throw invalid(
      'There is no `default_payment_method` set on this Customer or Invoice. Please set one prior to attempting payment.',
    );
  }
  return attempt(world, invoice, card, options.off_session ?? true);
}

/** One attempt with a card. Where it fails, the next one is planned and the failure is thrown. */
function attempt(world: World, invoice: Invoice, card: string, isAbsent: boolean): Invoice {
  const intent = intentOfInvoice(world, invoice);
  if (!intent) throw invalid('This invoice has nothing to pay.');
  const tried = world.store.put('invoice', {
    ...invoice,
    attempted: true,
    attempt_count: Math.max(invoice.attempt_count, 1),
  });
  const returnUrl = tried.hosted_invoice_url ?? undefined;
  try {
    const after = confirmIntent(world, intent, { payment_method: card, return_url: returnUrl });
    if (after.status !== 'requires_action') return world.find('invoice', invoice.id);
    throw askedBack(world, tried, isAbsent);
  } catch (error) {
    if (error instanceof StripeProblem && error.status === 402) failed(world, invoice.id);
    throw error;
  }
}

/** The bank wants the customer, who is asked to come to the invoice's page. */
function askedBack(world: World, invoice: Invoice, isAbsent: boolean): StripeProblem {
  world.emit('invoice.payment_action_required', invoice);
  return new StripeProblem(402, {
    type: 'card_error',
    code: isAbsent ? 'authentication_required' : 'invoice_payment_intent_requires_action',
    ...(isAbsent ? { decline_code: 'authentication_required' } : {}),
    message: 'Payment for this invoice requires additional user action before it can be completed.',
  });
}

function failed(world: World, id: string): void {
  const invoice = world.find('invoice', id);
  const days = RETRY_DAYS[invoice.attempt_count - 1];
  const retries = invoice.auto_advance && invoice.collection_method === 'charge_automatically';
  const next = retries && days !== undefined ? world.now(invoice.customer) + days * DAY_SECONDS : null;
  const after = world.store.put('invoice', { ...invoice, next_payment_attempt: next });
  world.emit('invoice.payment_failed', after);
}

/** An attempt of Stripe's own, at the time that was planned for it. */
function retry(world: World, id: string): void {
  const planned = world.find('invoice', id);
  const at = planned.next_payment_attempt;
  if (planned.status !== 'open' || at === null || at > world.now(planned.customer)) return;
  const invoice = world.store.put('invoice', {
    ...planned,
    attempt_count: planned.attempt_count + 1,
    attempted: true,
    next_payment_attempt: null,
  });
  const card = cardOf(world, invoice);
  if (!card || isHopeless(world, invoice, card)) {
    failed(world, id);
    return;
  }
  try {
    attempt(world, invoice, card, true);
  } catch (error) {
    if (!(error instanceof StripeProblem)) throw error;
    if (error.status !== 402) failed(world, id);
  }
}

/** Whether the same card was refused for good. */
function isHopeless(world: World, invoice: Invoice, card: string): boolean {
  const error = intentOfInvoice(world, invoice)?.last_payment_error;
  return error?.payment_method?.id === card && HARD_DECLINES.includes(error.decline_code ?? '');
}

function markPaid(world: World, invoice: Invoice): Invoice {
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

/** Drafts that finalize themselves, and attempts that are planned. */
export function invoicesDue(world: World): Due[] {
  return world.store.all('invoice').flatMap(({ id, customer, status, ...invoice }): Due[] => {
    const finalizesAt = invoice.automatically_finalizes_at;
    if (status === 'draft' && finalizesAt !== null) {
      return [{ at: finalizesAt, customer, run: () => finalizeAlone(world, id) }];
    }
    const at = invoice.next_payment_attempt;
    return status === 'open' && at !== null ? [{ at, customer, run: () => retry(world, id) }] : [];
  });
}

/** What Stripe does with a draft an hour after it was made: fix it, and collect it at once. */
function finalizeAlone(world: World, id: string): void {
  const draft = world.store.get('invoice', id);
  if (draft?.status !== 'draft') return;
  const invoice = finalize(world, draft, true);
  if (invoice.next_payment_attempt === null) return;
  world.store.put('invoice', { ...invoice, next_payment_attempt: world.now(invoice.customer) });
  retry(world, id);
}

/** A paid intent pays its invoice, however it came to be paid. */
export const invoiceReactions = [
  reaction<Stripe.PaymentIntent>('payment_intent.succeeded', (world, intent) => {
    const invoiceId = world.store.get('owner', intent.id)?.invoiceId;
    const invoice = invoiceId === undefined ? undefined : world.find('invoice', invoiceId);
    if (invoice && invoice.status !== 'paid') markPaid(world, invoice);
  }),
];
