import assert from 'node:assert/strict';
import { checkBooks, ledgerBalance } from '#libs/billing';
import type { Ledger } from '#libs/payments/emulator';
import { sweepBalance } from '../sweep-balance.ts';
import type { MoneyWorld } from './money-world.ts';

/** What the emulator has of the world's money. */
async function emulatorLedger({ emulatorUrl }: MoneyWorld): Promise<Ledger> {
  return (await (await fetch(`${emulatorUrl}/_emulator/ledger`)).json()) as Ledger;
}

/**
 * The books are sound, and have to the cent what the provider has: in all, and each payment for itself.
 * @throws AssertionError
 */
export async function assertBooksAreTheProviders(world: MoneyWorld): Promise<Ledger> {
  await world.events.processDue(1000);
  await sweepBalance(world.deps);
  const { manager } = world.dataSource;
  const ledger = await emulatorLedger(world);
  assert.deepEqual(await checkBooks(manager), []);
  const clearing = Number(await ledgerBalance(manager, 'stripe_clearing', 'eur'));
  const { capturedMinor, refundedMinor, disputedMinor, feesMinor, paidOutMinor } = ledger;
  assert.equal(clearing, capturedMinor - refundedMinor - disputedMinor - feesMinor - paidOutMinor);
  assert.equal(clearing, ledger.balanceMinor.eur ?? 0);
  assert.equal(Number(await ledgerBalance(manager, 'payment_fees', 'eur')), feesMinor);
  const booked = await manager.query<{ paymentId: string; minor: number }[]>(
    `SELECT split_part(t.cause_id, '/', 1) AS "paymentId", sum(e.amount)::bigint AS minor
     FROM ledger_transactions t JOIN ledger_entries e ON e.transaction_id = t.id
     WHERE e.account = 'stripe_clearing' AND t.cause_kind NOT LIKE 'dispute%'
       AND t.cause_kind <> 'balance_movement' GROUP BY 1 HAVING sum(e.amount) <> 0`,
  );
  const taken = ledger.intents
    .map(({ holdId, capturedMinor, refundedMinor }) => ({
      paymentId: holdId,
      minor: capturedMinor - refundedMinor,
    }))
    .filter(({ minor }) => minor !== 0);
  const byId = (a: { paymentId: string }, b: { paymentId: string }) => a.paymentId.localeCompare(b.paymentId);
  assert.deepEqual(booked.sort(byId), taken.sort(byId));
  return ledger;
}

/** The emulator's invoices of an account, as they stand, in order of their status. */
export async function providerInvoicesOf(world: MoneyWorld, accountId: number): Promise<string[]> {
  const customerId = await world.deps.cards.customerOf(accountId);
  const { invoices } = await emulatorLedger(world);
  return invoices
    .filter((invoice) => invoice.customerId === customerId)
    .map(({ status, totalMinor }) => `${status} ${totalMinor}`)
    .sort();
}

/** The status of each of the emulator's payments of an account. */
export async function providerPaymentsOf(world: MoneyWorld, accountId: number): Promise<string[]> {
  const customerId = await world.deps.cards.customerOf(accountId);
  const { intents } = await emulatorLedger(world);
  return intents.filter((intent) => intent.customerId === customerId).map(({ status }) => status);
}
