import { balanceOf } from './balance.ts';
import type { World } from './world.ts';

/** What one customer's money went through, in minor units. */
export interface LedgerLine {
  readonly customerId: string;
  readonly currency: string;
  /** Set aside on cards now. */
  heldMinor: number;
  /** Taken, before refunds. */
  capturedMinor: number;
  refundedMinor: number;
  /** Taken back by banks: disputes that are open or lost. */
  disputedMinor: number;
}

export interface LedgerIntent {
  readonly holdId: string;
  readonly customerId: string;
  readonly orderId: string | undefined;
  readonly status: string;
  readonly amountMinor: number;
  readonly heldMinor: number;
  readonly capturedMinor: number;
  readonly refundedMinor: number;
  readonly disputedMinor: number;
  /** The invoice that it collects, if it is one's. */
  readonly invoiceId: string | undefined;
}

/** An invoice as it stands. */
export interface LedgerInvoice {
  readonly invoiceId: string;
  readonly customerId: string;
  readonly status: string;
  readonly currency: string;
  readonly totalMinor: number;
  readonly dueMinor: number;
  readonly paidMinor: number;
}

/** A refund or a payout as it stands. */
export interface LedgerOutgoing {
  readonly id: string;
  /** Of a refund. */
  readonly customerId?: string;
  readonly status: string;
}

export interface Ledger {
  /** What is in the balance, available and pending, by currency. */
  readonly balanceMinor: Readonly<Record<string, number>>;
  /** What payments and disputes have cost. */
  readonly feesMinor: number;
  /** What has gone to the bank and has not come back. */
  readonly paidOutMinor: number;
  readonly refunds: readonly LedgerOutgoing[];
  readonly payouts: readonly LedgerOutgoing[];
  readonly openHolds: number;
  readonly heldMinor: number;
  readonly capturedMinor: number;
  readonly refundedMinor: number;
  readonly disputedMinor: number;
  readonly invoices: readonly LedgerInvoice[];
  readonly customers: readonly LedgerLine[];
  readonly intents: readonly LedgerIntent[];
}

/** Adds up every charge that the emulator ever made: the other side of the clean-slate checks. */
export function ledgerOf(world: World): Ledger {
  const charges = Map.groupBy(world.store.all('charge'), (charge) => charge.payment_intent);
  const disputes = Map.groupBy(world.store.all('dispute'), (dispute) => dispute.payment_intent);
  const intents = world.store.all('payment_intent').map((intent): LedgerIntent => {
    const captured = (charges.get(intent.id) ?? []).filter((charge) => charge.captured);
    return {
      holdId: intent.id,
      customerId: String(intent.customer ?? ''),
      orderId: intent.metadata.order_id,
      status: intent.status,
      amountMinor: intent.amount,
      heldMinor: intent.amount_capturable,
      capturedMinor: sum(captured.map((charge) => charge.amount_captured)),
      refundedMinor: sum(captured.map((charge) => charge.amount_refunded)),
      disputedMinor:
        0 -
        sum(
          (disputes.get(intent.id) ?? []).flatMap((dispute) =>
            dispute.balance_transactions.map((money) => money.amount),
          ),
        ),
      invoiceId: world.store.get('owner', intent.id)?.invoiceId,
    };
  });
  const movements = world.store.all('balance_transaction');
  return {
    balanceMinor: Object.fromEntries(
      [...balanceOf(world)].map(([currency, { available, pending }]) => [currency, available + pending]),
    ),
    feesMinor: sum(movements.map(({ fee }) => fee)),
    paidOutMinor: 0 - sum(movements.map(({ type, amount }) => (type.startsWith('payout') ? amount : 0))),
    refunds: world.store
      .all('refund')
      .map(({ id, status, customer }) => ({ id, status: status ?? '', customerId: String(customer ?? '') })),
    payouts: world.store.all('payout').map(({ id, status }) => ({ id, status })),
    openHolds: intents.filter((intent) => intent.heldMinor > 0).length,
    heldMinor: sum(intents.map((intent) => intent.heldMinor)),
    capturedMinor: sum(intents.map((intent) => intent.capturedMinor)),
    refundedMinor: sum(intents.map((intent) => intent.refundedMinor)),
    disputedMinor: sum(intents.map((intent) => intent.disputedMinor)),
    invoices: world.store.all('invoice').map((invoice) => ({
      invoiceId: invoice.id,
      customerId: String(invoice.customer),
      status: String(invoice.status),
      currency: invoice.currency,
      totalMinor: invoice.total,
      dueMinor: invoice.amount_due,
      paidMinor: invoice.amount_paid,
    })),
    customers: byCustomer(world, intents),
    intents,
  };
}

function byCustomer(world: World, intents: readonly LedgerIntent[]): LedgerLine[] {
  const lines = new Map<string, LedgerLine>();
  for (const intent of intents) {
    const currency = world.find('payment_intent', intent.holdId).currency;
    const key = `${intent.customerId} ${currency}`;
    const line = lines.get(key) ?? {
      customerId: intent.customerId,
      currency,
      heldMinor: 0,
      capturedMinor: 0,
      refundedMinor: 0,
      disputedMinor: 0,
    };
    line.heldMinor += intent.heldMinor;
    line.capturedMinor += intent.capturedMinor;
    line.refundedMinor += intent.refundedMinor;
    line.disputedMinor += intent.disputedMinor;
    lines.set(key, line);
  }
  return [...lines.values()];
}

function sum(amounts: readonly number[]): number {
  return amounts.reduce((total, amount) => total + amount, 0);
}
