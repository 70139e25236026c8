import { describe, expect, it } from 'vitest';
import { arrearsOf } from '#libs/billing';
import { submit } from '#libs/payments/harness';
import { compareWithProvider } from './compare-provider.ts';
import { DECLINED_LATER, GOOD, moneyBench } from './harness/money-bench.ts';
import { addCard, HOUR_MINOR } from './harness/money-world.ts';

const bench = moneyBench();
const { advance, customer, collected, newest, openOf, key, settle } = bench;

/** Its servers are gone from sight, and the day of the purge has come while no worker was there. */
async function beforePurge(): Promise<{ accountId: number; invoiceId: number; providerId: string }> {
  const accountId = await customer(DECLINED_LATER);
  const invoiceId = await collected(accountId);
  await bench.dataSource.query(
    `UPDATE arrears SET step = 'soft_deletion', next_at = since WHERE account_id = $1`,
    [accountId],
  );
  const { providerId } = await newest(invoiceId);
  return { accountId, invoiceId, providerId };
}

/** Paid on the provider's page, of which no webhook tells. */
async function payUnheard(accountId: number, providerId: string): Promise<void> {
  bench.payments.emulator.addFaults({ webhooks: [{ effect: 'lose', times: 99 }] });
  await addCard(bench.world, accountId, GOOD);
  await bench.payments.provider.invoices.pay({ invoiceId: providerId, ...key() });
  await bench.payments.emulator.idle();
}

describe('before servers are taken away', () => {
  it('the provider is asked, and who has paid unheard keeps them', async () => {
    const { accountId, invoiceId, providerId } = await beforePurge();
    await payUnheard(accountId, providerId);
    expect(await advance()).toMatchObject({ steps: [], unsure: [] });
    expect([await openOf(invoiceId), await arrearsOf(bench.manager, accountId)]).toEqual([0, undefined]);
  });

  it('who has paid in what they owe keeps them, though nobody has used that credit yet', async () => {
    const { accountId, invoiceId } = await beforePurge();
    bench.payments.emulator.addFaults({ webhooks: [{ effect: 'lose', times: 99 }] });
    const { url } = await bench.world.topUps.open({
      accountId,
      email: `customer-${accountId}@example.test`,
      name: 'Ada',
      amountMinor: 2 * HOUR_MINOR,
      currency: 'eur',
      successUrl: 'http://127.0.0.1:9/back',
      cancelUrl: 'http://127.0.0.1:9/back',
      savesCard: false,
    });
    await submit(url, { number: GOOD, expiry: '12 / 34', cvc: '123', name: 'Ada' });
    await bench.payments.emulator.idle();
    expect(await advance()).toMatchObject({ steps: [], unsure: [] });
    expect([await openOf(invoiceId), await arrearsOf(bench.manager, accountId)]).toEqual([0, undefined]);
    await settle();
  });

  it('a provider that does not answer keeps them, and one that does lets the step be taken', async () => {
    const { accountId } = await beforePurge();
    bench.payments.emulator.addFaults({
      api: [{ match: 'GET /v1/invoices/:id', effect: 'error_500', times: 99 }],
    });
    expect(await advance()).toMatchObject({ steps: [], unsure: [accountId] });
    bench.payments.emulator.clearFaults();
    expect(await advance()).toMatchObject({ steps: [{ accountId, step: 'purge' }], unsure: [] });
  });
});

it('an invoice that was paid unheard, longer ago than events are kept, is found by the nightly comparison', async () => {
  const accountId = await customer(DECLINED_LATER);
  const invoiceId = await collected(accountId);
  const { providerId } = await newest(invoiceId);
  await payUnheard(accountId, providerId);
  await bench.dataSource.query(`UPDATE collections SET requested_at = requested_at - interval '40 days'`);
  bench.payments.emulator.advance(40 * 86_400);
  expect(await compareWithProvider(bench.world.deps)).toEqual([]);
  expect(await openOf(invoiceId)).toBe(0);
});
