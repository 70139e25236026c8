import { describe, expect, it } from 'vitest';
import { arrearsOf, grantCredit } from '#libs/billing';
import { advanceDunning } from '#libs/dunning';
import { newId } from '#libs/kernel';
import { submit } from '#libs/payments/harness';
import type { ServerSuspensions } from '#libs/servers';
import type { VolumeSuspensions } from '#libs/volumes';
import { collectDue, collectOpenInvoices } from './collect-invoices.ts';
import { DECLINED_LATER, GOOD, moneyBench } from './harness/money-bench.ts';
import { HOUR_MINOR } from './harness/money-world.ts';
import { lookAtUnpaid } from './look-at-unpaid.ts';
import { refundInvoice } from './refunds.ts';

const bench = moneyBench();
const { settle, customer, collected } = bench;

describe('the day of the purge', () => {
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

  it('spares who has paid in what they owe, though nobody has used that credit yet', async () => {
    const accountId = await customer(DECLINED_LATER);
    const invoiceId = await collected(accountId);
    await bench.dataSource.query(
      `UPDATE arrears SET step = 'soft_deletion', next_at = since WHERE account_id = $1`,
      [accountId],
    );
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
    const report = await advance();

    expect(report).toMatchObject({ steps: [], unsure: [] });
    expect([await bench.openOf(invoiceId), await arrearsOf(bench.manager, accountId)]).toEqual([
      0,
      undefined,
    ]);
    await settle();
  });
});

describe('credit that is given to somebody whose card was refused', () => {
  it('pays what they owe, though the card is not tried again', async () => {
    const accountId = await customer(DECLINED_LATER);
    const invoiceId = await collected(accountId);
    await settle();
    await bench.dataSource.query('UPDATE arrears SET is_hard = true, retry_at = NULL WHERE account_id = $1', [
      accountId,
    ]);
    const now = bench.world.deps.clock.now();
    await bench.within((m) => {
      const cause = { kind: 'grant', id: String(accountId) };
      return grantCredit(m, {
        accountId,
        currency: 'eur',
        amountMinor: HOUR_MINOR,
        cause,
        at: now,
        source: 'grant',
      });
    });
    await bench.dataSource.query(`UPDATE sagas SET finished_at = finished_at - interval '2 hours'`);
    await collectDue(bench.dataSource, bench.world.store, now);
    await settle();
    expect([await bench.openOf(invoiceId), await arrearsOf(bench.manager, accountId)]).toEqual([
      0,
      undefined,
    ]);
  });
});

describe('what is left of a debt', () => {
  it('that is too small to be charged leads nobody down the ladder', async () => {
    const accountId = await customer(DECLINED_LATER);
    const invoiceId = await collected(accountId);
    await settle();
    await bench.within((manager) =>
      refundInvoice(manager, bench.world.store, {
        invoiceId,
        amountMinor: HOUR_MINOR - 30,
        requestId: `request ${newId()}`,
        refundTo: 'credit',
        reason: 'Sorry',
        at: new Date(),
      }),
    );
    await settle();
    const asking = await bench.dataSource.query(
      `SELECT 1 FROM collections WHERE account_id = $1 AND status IN ('requested', 'draft', 'open')`,
      [accountId],
    );
    expect([await bench.openOf(invoiceId), asking.length]).toEqual([30, 0]);
    expect(await arrearsOf(bench.manager, accountId)).toBeUndefined();
    expect(await collected(accountId)).toBeGreaterThan(0);
    await settle();
    expect(await arrearsOf(bench.manager, accountId)).toBeDefined();
  });
});
