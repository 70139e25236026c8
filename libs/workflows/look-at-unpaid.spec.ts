import { describe, expect, it } from 'vitest';
import { arrearsOf } from '#libs/billing';
import { advanceDunning } from '#libs/dunning';
import type { ServerSuspensions } from '#libs/servers';
import type { VolumeSuspensions } from '#libs/volumes';
import { collectOpenInvoices } from './collect-invoices.ts';
import { compareWithProvider } from './compare-provider.ts';
import { DECLINED_LATER, GOOD, moneyBench } from './harness/money-bench.ts';
import { addCard } from './harness/money-world.ts';
import { lookAtUnpaid } from './look-at-unpaid.ts';

const bench = moneyBench();
const { customer, collected, newest, openOf, key } = bench;

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

const advance = () =>
  advanceDunning(
    {
      dataSource: bench.dataSource,
      suspensions: { align: async () => 0 } as unknown as ServerSuspensions,
      volumes: { align: async () => 0 } as unknown as VolumeSuspensions,
      collectAgain: (manager, accountId) => collectOpenInvoices(manager, bench.world.store, accountId),
      lookAgain: (accountId) => lookAtUnpaid(bench.world.deps, accountId),
    },
    bench.world.deps.clock.now(),
  );

describe('before servers are taken away', () => {
  it('the provider is asked, and who has paid unheard keeps them', async () => {
    const { accountId, invoiceId, providerId } = await beforePurge();
    await payUnheard(accountId, providerId);
    expect(await advance()).toMatchObject({ steps: [], unsure: [] });
    expect([await openOf(invoiceId), await arrearsOf(bench.manager, accountId)]).toEqual([0, undefined]);
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
