import type { Stripe } from '../stripe/types.ts';
import { changeBalance } from './customer-balance.ts';
import { liveCustomer } from './customers.ts';
import { LEAST_AMOUNT } from './intents.ts';
import type { Invoice } from './invoice-objects.ts';
import { askFor, markPaid } from './invoice-payments.ts';
import { invalid } from './problem.ts';
import { idOf, type World } from './world.ts';

/** Stripe's first own attempt at an invoice that was finalized by a call. */
const HOUR_SECONDS = 3600;

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
