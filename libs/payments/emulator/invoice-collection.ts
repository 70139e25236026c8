import type { Stripe } from '../stripe/types.ts';
import type { Due } from './due.ts';
import { confirmIntent } from './intents.ts';
import { finalize } from './invoice-finalize.ts';
import type { Invoice } from './invoice-objects.ts';
import { intentOfInvoice, markPaid } from './invoice-payments.ts';
import { invalid, StripeProblem } from './problem.ts';
import { idOf, reaction, type World } from './world.ts';

const DAY_SECONDS = 86_400;
/** When a declined invoice is tried again, counted from each failure; then Stripe gives up. */
const RETRY_DAYS = [3, 5, 7];
/** Declines after which Stripe tries no more until the customer has another card. Source: Smart Retries. */
const HARD_DECLINES = ['lost_card', 'stolen_card', 'authentication_required', 'highest_risk_level'];

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

/** Drafts that finalize themselves, and attempts that are planned. */
export function invoicesDue(world: World): Due[] {
  return world.store.all('invoice').flatMap((invoice): Due[] => {
    const { id, customer, status, automatically_finalizes_at: finalizesAt } = invoice;
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
