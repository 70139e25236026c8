import { describe, expect, it } from 'vitest';
import { runInTransaction } from '#libs/database';
import { newId } from '#libs/kernel';
import { testDatabase } from '../../test/support/test-database.ts';
import { closeAccount } from './close-account.ts';
import { firstPrice } from './price-book.ts';
import { openServer } from './server-usage.ts';
import { alertedPercents, alertSpending, type SpendingAlert } from './spending-alerts.ts';
import {
  assertBelowSpendingLimit,
  type SpendingLimit,
  setSpendingLimit,
  spendingLimit,
} from './spending-limit.ts';

const database = testDatabase();
const ALL: SpendingLimit = { amountMinor: 10_000, isHard: false, alertPercents: [50, 80, 100] };
const at = (hour: number) => new Date(Date.UTC(2031, 4, 1, hour));

/** Spends 10.00 an hour from the first of May on. */
async function spender(limit: SpendingLimit): Promise<number> {
  const { dataSource } = database;
  await firstPrice(dataSource.manager, { item: 'compute/l', title: 'l', hourlyMicro: 1_000_000_000 });
  await firstPrice(dataSource.manager, { item: 'disk/l', title: 'l', hourlyMicro: 0 });
  const accountId = newId();
  const server = { accountId, projectId: 1, serverId: newId(), currency: 'eur', isRunning: true };
  const names = { serverName: 'vm', serverTypeName: 'l', imageName: 'none' };
  await runInTransaction(dataSource, (manager) => openServer(manager, { ...server, ...names }, at(0)));
  await setSpendingLimit(dataSource.manager, accountId, limit);
  return accountId;
}

async function toldOf(accountId: number, now: Date): Promise<SpendingAlert[]> {
  const told: SpendingAlert[] = [];
  await alertSpending(database.dataSource, now, async (_, alert) => void told.push(alert));
  return told.filter((alert) => alert.accountId === accountId);
}

const percents = async (accountId: number, now: Date) =>
  (await toldOf(accountId, now)).map(({ percent }) => percent);

describe('alerts of a spending limit', () => {
  it('tell each mark once in a month, paid or not, and again in the next', async () => {
    const accountId = await spender(ALL);
    expect(await percents(accountId, at(4))).toEqual([]);
    expect(await toldOf(accountId, at(5))).toMatchObject([{ percent: 50, spentMinor: 5000, limit: ALL }]);
    expect(await percents(accountId, at(6))).toEqual([]);
    await closeAccount(database.dataSource, accountId, { until: at(7), now: at(7), reason: 'threshold' });
    expect(await percents(accountId, at(8))).toEqual([80]);
    expect(await percents(accountId, at(12))).toEqual([100]);
    expect(await percents(accountId, at(13))).toEqual([]);
    expect(await alertedPercents(database.dataSource.manager, accountId, at(13))).toEqual([50, 80, 100]);
    const june = new Date(Date.UTC(2031, 5, 1, 6));
    expect(await percents(accountId, june)).toEqual([50]);
  });

  it('tell the highest of several marks, and those alone that the customer wants', async () => {
    const jump = await spender(ALL);
    expect(await percents(jump, at(9))).toEqual([80]);
    expect(await percents(jump, at(20))).toEqual([100]);
    const one = await spender({ ...ALL, alertPercents: [80] });
    expect(await percents(one, at(20))).toEqual([80]);
  });

  it('tell once however many look at the same time, and later when telling failed', async () => {
    const accountId = await spender(ALL);
    const { dataSource } = database;
    const failing = await alertSpending(dataSource, at(5), () => Promise.reject(new Error('no outbox')));
    expect(failing.failures.map((one) => one.accountId)).toContain(accountId);
    const told = await Promise.all([
      toldOf(accountId, at(5)),
      toldOf(accountId, at(5)),
      toldOf(accountId, at(5)),
    ]);
    expect(told.flat()).toHaveLength(1);
  });

  it('are gone with the limit', async () => {
    const accountId = await spender(ALL);
    await setSpendingLimit(database.dataSource.manager, accountId, null);
    expect(await percents(accountId, at(20))).toEqual([]);
    expect(await spendingLimit(database.dataSource.manager, accountId)).toBeUndefined();
  });
});

describe('a hard limit', () => {
  it('refuses orders when it is reached, and until the next month', async () => {
    const accountId = await spender({ ...ALL, isHard: true });
    const { manager } = database.dataSource;
    await assertBelowSpendingLimit(manager, accountId, new Date(at(10).getTime() - 60_000));
    await expect(assertBelowSpendingLimit(manager, accountId, at(10))).rejects.toMatchObject({
      code: 'spending_limit_reached',
      details: { limit_minor: 10_000, spent_minor: 10_000 },
    });
    await assertBelowSpendingLimit(manager, accountId, new Date(Date.UTC(2031, 5, 1, 1)));
  });

  it('refuses nothing when it is a soft one, or none', async () => {
    const { manager } = database.dataSource;
    await assertBelowSpendingLimit(manager, await spender(ALL), at(20));
    await assertBelowSpendingLimit(manager, newId(), at(20));
  });

  it('is an amount above zero', async () => {
    const zero = setSpendingLimit(database.dataSource.manager, newId(), { ...ALL, amountMinor: 0 });
    await expect(zero).rejects.toMatchObject({ code: 'amount_malformed' });
  });
});
