import { describe, expect, it } from 'vitest';
import { arrearsOf, grantCredit } from '#libs/billing';
import { newId } from '#libs/kernel';
import { collectDue } from './collect-invoices.ts';
import { DECLINED_LATER, moneyBench } from './harness/money-bench.ts';
import { HOUR_MINOR } from './harness/money-world.ts';
import { refundInvoice } from './refunds.ts';

const bench = moneyBench();
const { settle, customer, collected } = bench;

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
