import assert from 'node:assert/strict';
import { collectionsOf, invoice, issueCreditNote } from '#libs/billing';
import { runInTransaction } from '#libs/database';
import { anyDefinition, runToEnd, type SagaScenario } from '#libs/saga/harness';
import { collectInvoice } from './collect-invoice.saga.ts';
import { startCollecting } from './collect-invoices.ts';
import { assertBooksAreTheProviders, providerInvoicesOf } from './harness/assert-money.ts';
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

/** Pays when it is set up and is declined when it is charged. */
const DECLINED_LATER = '4000000000000341';
const GOOD = '4242424242424242';
const NOTED_MINOR = 100;

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

export const scenarios = [collecting];
