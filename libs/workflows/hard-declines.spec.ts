import { describe, expect, it } from 'vitest';
import { arrearsOf, noteUnpaid } from '#libs/billing';
import { DECLINED_LATER, moneyBench } from './harness/money-bench.ts';

const bench = moneyBench();
const { advance, settle, customer, collected, newest } = bench;

/** One round of the worker, when the next retry is due. */
async function retry(accountId: number) {
  await bench.dataSource.query(
    'UPDATE arrears SET retry_at = since WHERE account_id = $1 AND retry_at IS NOT NULL',
    [accountId],
  );
  await advance();
  await settle();
}

/** How often the card was charged for an invoice. */
async function charges(invoiceId: number): Promise<number> {
  const { providerId } = await newest(invoiceId);
  const made = await bench.dataSource.query<unknown[]>(
    `SELECT 1 FROM payment_calls WHERE kind = 'pay_invoice' AND request::jsonb ->> 'invoiceId' = $1`,
    [providerId],
  );
  return made.length;
}

/** An account that owes one invoice that its card was refused for for good, and one that it was refused for for now. */
async function refused(): Promise<{ accountId: number; hard: number; soft: number }> {
  const accountId = await customer(DECLINED_LATER);
  const hard = await collected(accountId);
  await settle();
  await bench.dataSource.query('UPDATE collections SET is_decline_final = true WHERE account_id = $1', [
    accountId,
  ]);
  await bench.dataSource.query('UPDATE arrears SET is_hard = true, retry_at = NULL WHERE account_id = $1', [
    accountId,
  ]);
  const soft = await collected(accountId);
  return { accountId, hard, soft };
}

describe('an invoice that the card was refused for for good', () => {
  it('is not tried again because another one was refused for now', async () => {
    const { accountId, hard, soft } = await refused();
    expect([await charges(hard), await charges(soft)]).toEqual([1, 1]);
    await retry(accountId);
    expect([await charges(hard), await charges(soft)]).toEqual([1, 2]);
  });

  it('does not keep the other one from being tried, whichever was told last', async () => {
    const { accountId, hard, soft } = await refused();
    const at = bench.world.deps.clock.now();
    await bench.within((manager) => noteUnpaid(manager, { accountId, invoiceId: hard, at, isHard: true }));
    expect(await arrearsOf(bench.manager, accountId)).toMatchObject({ isHard: false });
    await retry(accountId);
    expect([await charges(hard), await charges(soft)]).toEqual([1, 2]);
  });
});
