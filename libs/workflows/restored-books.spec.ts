import { afterAll, beforeAll, expect, it } from 'vitest';
import { creditBalanceMinor, invoice } from '#libs/billing';
import { submit } from '#libs/payments/harness';
import { runToEnd, type WorldAddress } from '#libs/saga/harness';
import { backUp, restore, type TestDatabase } from '../../test/support/postgres.ts';
import { compareWithProvider } from './compare-provider.ts';
import { assertBooksAreTheProviders, providerInvoicesOf } from './harness/assert-money.ts';
import { GOOD } from './harness/money-bench.ts';
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

const PAID_IN_MINOR = 700;

let address: WorldAddress;
let world: MoneyWorld;
let restored: TestDatabase;
let accountId: number;
let paymentId: string;

async function collect(): Promise<number> {
  const { invoiceId, sagaId } = await issueInvoice(world, accountId);
  await runToEnd(world, 'collect-invoice', sagaId, []);
  return invoiceId;
}

/** The customer pays in on a page of the provider. */
async function payIn(): Promise<void> {
  const { url } = await world.topUps.open({
    accountId,
    amountMinor: PAID_IN_MINOR,
    email: 'ada@example.test',
    currency: 'eur',
    successUrl: 'http://127.0.0.1:9/back',
    cancelUrl: 'http://127.0.0.1:9/no',
    savesCard: false,
  });
  await submit(url, { number: GOOD, expiry: '12 / 34', cvc: '123', name: 'Ada' });
}

beforeAll(async () => {
  address = await createMoneyWorld();
  world = await attachToMoneyWorld(address);
  accountId = await addAccount(world);
  await addCard(world, accountId, GOOD);
  await collect();
  const file = await backUp(String(address.url));
  await collect();
  await payIn();
  const { intents } = await assertBooksAreTheProviders(world);
  paymentId = intents.findLast(({ capturedMinor }) => capturedMinor === HOUR_MINOR)?.holdId ?? '';
  await world.close();
  restored = await restore(file);
  world = await attachToMoneyWorld({ ...address, url: restored.url });
});
afterAll(async () => {
  await world.close();
  await restored.drop();
  await destroyMoneyWorld(address);
});

it('what was paid since is credit, and pays for the invoice that is issued again', async () => {
  const { manager } = world.dataSource;
  await world.events.repair({ isFull: true });
  await world.events.processDue(1000);
  expect(await creditBalanceMinor(manager, accountId, 'eur')).toBe(HOUR_MINOR + PAID_IN_MINOR);
  await assertBooksAreTheProviders(world);

  const again = await collect();
  expect((await invoice(manager, again)).openMinor).toBe(0);
  expect(await creditBalanceMinor(manager, accountId, 'eur')).toBe(PAID_IN_MINOR);
  expect(await providerInvoicesOf(world, accountId)).toEqual([`paid ${HOUR_MINOR}`, `paid ${HOUR_MINOR}`]);
  expect(await compareWithProvider(world.deps)).toEqual([]);
  await assertBooksAreTheProviders(world);
});

it('a refund of it takes the credit back', async () => {
  const { manager } = world.dataSource;
  const byHand = { paymentId, amountMinor: 100, reference: 'by hand', reason: 'duplicate' } as const;
  await world.deps.provider.money.refund({ ...byHand, idempotencyKey: 'by hand' });
  expect(await compareWithProvider(world.deps)).toEqual([]);
  expect(await creditBalanceMinor(manager, accountId, 'eur')).toBe(PAID_IN_MINOR - 100);
  await assertBooksAreTheProviders(world);
});
