import assert from 'node:assert/strict';
import {
  cardRefunds,
  collectionsOf,
  creditBalanceMinor,
  ensureBooks,
  invoice,
  issueCreditNote,
  ledgerBalance,
  setRecharge,
} from '#libs/billing';
import { runInTransaction } from '#libs/database';
import { anyDefinition, runToEnd, type SagaScenario } from '#libs/saga/harness';
import { collectInvoice } from './collect-invoice.saga.ts';
import { startCollecting } from './collect-invoices.ts';
import {
  assertBooksAreTheProviders,
  providerInvoicesOf,
  providerPaymentsOf,
} from './harness/assert-money.ts';
import {
  addAccount,
  addCard,
  attachToMoneyWorld,
  createMoneyWorld,
  destroyMoneyWorld,
  HOUR_MINOR,
  issueInvoice,
  type MoneyWorld,
} from './harness/money-world.ts';
import { rechargeCredit } from './recharge-credit.saga.ts';
import { rechargeDue } from './recharges.ts';
import { refundInvoice } from './refunds.ts';
import { sendRefund } from './send-refund.saga.ts';

/** Pays when it is set up and is declined when it is charged. */
const DECLINED_LATER = '4000000000000341';
const GOOD = '4242424242424242';
const NOTED_MINOR = 100;
const RECHARGED_MINOR = 2000;

const world = {
  createWorld: createMoneyWorld,
  destroyWorld: destroyMoneyWorld,
  attach: attachToMoneyWorld,
};

async function invoiceOf({ store, dataSource }: MoneyWorld, sagaId: number) {
  const { subject } = await store.get(sagaId);
  return invoice(dataSource.manager, subject?.id ?? 0);
}

/**
 * An invoice that was asked for, declined, made smaller by a credit note, and is tried again with another card: what
 * asked for it first has to be withdrawn.
 */
const collecting: SagaScenario<MoneyWorld> = {
  ...world,
  definition: anyDefinition(collectInvoice),
  start: async (world) => {
    const accountId = await addAccount(world);
    await addCard(world, accountId, DECLINED_LATER);
    const { invoiceId, sagaId } = await issueInvoice(world, accountId);
    await runToEnd(world, collectInvoice.name, sagaId, []);
    await addCard(world, accountId, GOOD);
    const again = await runInTransaction(world.dataSource, async (manager) => {
      const note = { invoiceId, requestId: `note ${invoiceId}`, refundTo: 'card' as const, reason: 'Sorry' };
      await issueCreditNote(manager, { ...note, amountMinor: NOTED_MINOR, at: new Date() });
      return startCollecting(manager, world.store, invoiceId);
    });
    return Number(again?.sagaId);
  },
  assertDone: async (world, sagaId) => {
    await assertBooksAreTheProviders(world);
    const { openMinor, accountId } = await invoiceOf(world, sagaId);
    assert.equal(openMinor, 0);
    const left = HOUR_MINOR - NOTED_MINOR;
    assert.deepEqual(await providerInvoicesOf(world, accountId), [`paid ${left}`, `void ${HOUR_MINOR}`]);
  },
  assertCleanSlate: async (world, sagaId) => {
    await assertBooksAreTheProviders(world);
    const { id, openMinor, accountId } = await invoiceOf(world, sagaId);
    assert.equal(openMinor, HOUR_MINOR - NOTED_MINOR);
    const stands = (await collectionsOf(world.dataSource.manager, id)).filter(
      ({ status }) => status !== 'void',
    );
    const open = (await providerInvoicesOf(world, accountId)).filter((status) => !status.startsWith('void'));
    // What asked before the saga began is only withdrawn once it has come so far.
    assert.deepEqual(open, stands.length > 0 ? [`open ${HOUR_MINOR}`] : []);
    assert.ok(stands.every(({ round }) => round === 1));
  },
};

/** Credit that has fallen below its mark. */
const recharging: SagaScenario<MoneyWorld> = {
  ...world,
  definition: anyDefinition(rechargeCredit),
  start: async (world) => {
    const accountId = await addAccount(world);
    await addCard(world, accountId, GOOD);
    await runInTransaction(world.dataSource, async (manager) => {
      await ensureBooks(manager, accountId, 'eur', new Date());
      await setRecharge(manager, accountId, { belowMinor: 1000, amountMinor: RECHARGED_MINOR });
    });
    assert.equal(await rechargeDue(world.dataSource, world.store, new Date()), 1);
    const [recharge] = await rechargesOf(world, accountId);
    const [saga] = await world.store.list({ subject: { type: 'top_up', id: recharge?.id ?? 0 } });
    return saga?.id ?? 0;
  },
  assertDone: async (world, sagaId) => {
    await assertBooksAreTheProviders(world);
    const { accountId, status } = await rechargeOf(world, sagaId);
    assert.equal(status, 'paid');
    assert.equal(await creditBalanceMinor(world.dataSource.manager, accountId, 'eur'), RECHARGED_MINOR);
  },
  assertCleanSlate: async (world, sagaId) => {
    await assertBooksAreTheProviders(world);
    const { accountId, status } = await rechargeOf(world, sagaId);
    assert.equal(status, 'failed');
    assert.equal(await creditBalanceMinor(world.dataSource.manager, accountId, 'eur'), 0);
    const payments = await providerPaymentsOf(world, accountId);
    assert.ok(payments.every((payment) => payment === 'canceled'));
  },
};

interface Recharge {
  readonly id: number;
  readonly accountId: number;
  readonly status: string;
}

function rechargesOf({ dataSource }: MoneyWorld, accountId: number): Promise<Recharge[]> {
  return dataSource.query(
    'SELECT id, account_id AS "accountId", status FROM top_ups WHERE account_id = $1 ORDER BY created_at DESC',
    [accountId],
  );
}

/** What became of a recharge. Its account has no mark any more, or the next case would recharge it as well. */
async function rechargeOf({ dataSource, store }: MoneyWorld, sagaId: number): Promise<Recharge> {
  await dataSource.query(
    'UPDATE billing_accounts SET recharge_below_minor = NULL, recharge_amount_minor = NULL',
  );
  const { subject } = await store.get(sagaId);
  const [row] = await dataSource.query<Recharge[]>(
    'SELECT id, account_id AS "accountId", status FROM top_ups WHERE id = $1',
    [subject?.id],
  );
  assert.ok(row);
  return row;
}

/** A part of a paid invoice that goes back to the card. */
const refunding: SagaScenario<MoneyWorld> = {
  ...world,
  definition: anyDefinition(sendRefund),
  start: async (world) => {
    const accountId = await addAccount(world);
    await addCard(world, accountId, GOOD);
    const { invoiceId, sagaId } = await issueInvoice(world, accountId);
    await runToEnd(world, collectInvoice.name, sagaId, []);
    const asked = { invoiceId, requestId: `note ${invoiceId}`, amountMinor: NOTED_MINOR, reason: 'Sorry' };
    const note = await runInTransaction(world.dataSource, (manager) =>
      refundInvoice(manager, world.store, { ...asked, refundTo: 'card', at: new Date() }),
    );
    const [saga] = await world.store.list({ subject: { type: 'credit_note', id: note.id } });
    return saga?.id ?? 0;
  },
  assertDone: async (world, sagaId) => {
    const ledger = await assertBooksAreTheProviders(world);
    const { subject } = await world.store.get(sagaId);
    const [refund] = await cardRefunds(world.dataSource.manager, subject?.id ?? 0);
    assert.equal(refund?.amountMinor, NOTED_MINOR);
    assert.ok(refund.providerId);
    const payment = ledger.intents.find(({ holdId }) => holdId === refund.paymentId);
    assert.equal(payment?.refundedMinor, NOTED_MINOR);
    assert.equal(await ledgerBalance(world.dataSource.manager, 'refunds_payable', 'eur'), 0n);
  },
  assertCleanSlate: () => assert.fail('a credit note is issued: there is no way back'),
};

export const scenarios = [collecting, recharging, refunding];
