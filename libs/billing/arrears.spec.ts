import { beforeAll, describe, expect, it } from 'vitest';
import { runInTransaction } from '#libs/database';
import { newId } from '#libs/kernel';
import { testDatabase } from '../../test/support/test-database.ts';
import { arrearsOf, notePaid, noteUnpaid, settledArrears, takeDueRetries, takeDueStep } from './arrears.ts';
import { closeAccount } from './close-account.ts';
import { changeDunningSettings, dunningSettings } from './dunning-settings.ts';
import { firstPrice } from './price-book.ts';
import { openServer } from './server-usage.ts';
import { recordPayment, writeOff } from './settlements.ts';

const database = testDatabase();
const DAY = 86_400_000;
const HOUR = 3_600_000;
const start = new Date('2026-06-02T00:00:00Z');
const later = (milliseconds: number) => new Date(start.getTime() + milliseconds);
const within = <T>(work: Parameters<typeof runInTransaction<T>>[1]) =>
  runInTransaction(database.dataSource, work);

beforeAll(async () => {
  const { manager } = database.dataSource;
  await firstPrice(manager, { item: 'compute/big', title: 'big: CPU and RAM', hourlyMicro: 1_000_000_000 });
  await firstPrice(manager, { item: 'disk/big', title: 'big: disk', hourlyMicro: 100_000_000 });
});

/** An account with invoices of 11.00 each. */
async function debtor(count = 1): Promise<{ accountId: number; invoiceIds: number[] }> {
  const accountId = newId();
  const names = { serverName: 'web', serverTypeName: 'big', imageName: 'none', currency: 'eur' };
  const since = new Date('2026-05-01T00:00:00Z');
  await within((m) =>
    openServer(m, { accountId, projectId: 1, serverId: newId(), isRunning: true, ...names }, since),
  );
  const invoiceIds: number[] = [];
  for (let hour = 1; hour <= count; hour += 1) {
    const until = new Date(since.getTime() + hour * HOUR);
    const closing = { until, now: start, reason: 'manual' as const };
    const [issued] = await closeAccount(database.dataSource, accountId, closing);
    if (!issued) throw new Error('an hour is on no invoice');
    invoiceIds.push(issued.invoiceId);
  }
  return { accountId, invoiceIds };
}

const fail = (accountId: number, invoiceId: number, at = start, isHard = false) =>
  within((m) => noteUnpaid(m, { accountId, invoiceId, at, isHard }));
const pay = (invoiceId: number) =>
  within((m) =>
    recordPayment(m, { invoiceId, amountMinor: 1100, cause: { kind: 'test', id: `${newId()}` }, at: start }),
  );
const tellPaid = (accountId: number, at = start) => within((m) => notePaid(m, { accountId, at }));
const open = (accountId: number) => arrearsOf(database.dataSource.manager, accountId);
const step = (now: Date) => within((m) => takeDueStep(m, now));

/** Ends what a test leaves open, so that the next one has the ladder to itself. */
async function end(accountId: number, invoiceIds: readonly number[]): Promise<void> {
  for (const invoiceId of invoiceIds) await within((m) => writeOff(m, { invoiceId, at: start }));
  await tellPaid(accountId);
}

describe('arrears', () => {
  it('open once, and close when nothing is owed on any invoice that brought them', async () => {
    const { accountId, invoiceIds } = await debtor(2);
    const [first = 0, second = 0] = invoiceIds;
    await Promise.all([1, 2, 3].map(() => fail(accountId, first)));
    await fail(accountId, second, later(DAY));
    expect(await open(accountId)).toMatchObject({ since: start, step: null, nextAt: start });
    await pay(first);
    expect(await tellPaid(accountId)).toBe(false);
    await pay(second);
    expect(await tellPaid(accountId, later(2 * DAY))).toBe(true);
    expect(await tellPaid(accountId, later(3 * DAY))).toBe(false);
    expect(await open(accountId)).toBeUndefined();
  });

  it('do not come from an invoice that is settled, in whatever order that is told', async () => {
    const { accountId, invoiceIds } = await debtor();
    const [invoiceId = 0] = invoiceIds;
    await pay(invoiceId);
    expect(await tellPaid(accountId)).toBe(false);
    expect(await fail(accountId, invoiceId)).toBe(false);
    expect(await open(accountId)).toBeUndefined();
  });

  it('are seen to be settled when nobody tells of it', async () => {
    const { accountId, invoiceIds } = await debtor();
    const [invoiceId = 0] = invoiceIds;
    await fail(accountId, invoiceId);
    expect(await settledArrears(database.dataSource.manager)).not.toContain(accountId);
    await within((m) => writeOff(m, { invoiceId, at: start }));
    expect(await settledArrears(database.dataSource.manager)).toContain(accountId);
    await tellPaid(accountId);
  });

  it('are collected again in hours while the bank may change its mind, and not once it will not', async () => {
    const { accountId, invoiceIds } = await debtor();
    const [invoiceId = 0] = invoiceIds;
    const retries = (now: Date) => within((m) => takeDueRetries(m, now));
    await fail(accountId, invoiceId);
    expect(await retries(later(19 * HOUR))).toEqual([]);
    expect(await retries(later(20 * HOUR))).toEqual([accountId]);
    expect(await retries(later(20 * HOUR))).toEqual([]);
    await fail(accountId, invoiceId, later(21 * HOUR), true);
    expect(await retries(later(10 * DAY))).toEqual([]);
    await end(accountId, invoiceIds);
  });

  it('are collected no more than fifteen times in thirty days', async () => {
    const { accountId, invoiceIds } = await debtor();
    await fail(accountId, invoiceIds[0] ?? 0);
    let tries = 1;
    for (let now = 0; now <= 30 * DAY; now += 4 * HOUR) {
      while (await step(later(now)));
      tries += (await within((m) => takeDueRetries(m, later(now)))).length;
    }
    expect(tries).toBeGreaterThan(8);
    expect(tries).toBeLessThanOrEqual(15);
    await end(accountId, invoiceIds);
  });
});

describe('the ladder', () => {
  it('is led down by its days, each step taken once by many workers', async () => {
    const { accountId, invoiceIds } = await debtor();
    await fail(accountId, invoiceIds[0] ?? 0);
    const { days } = await dunningSettings(database.dataSource.manager);
    const due = [['unpaid', 0] as const, ...Object.entries(days)];
    for (const [name, day] of due) {
      if (day > 0) expect(await step(later(day * DAY - 1))).toBeUndefined();
      const taken = await Promise.all([1, 2, 3, 4].map(() => step(later(day * DAY))));
      expect(taken.filter((one) => one !== undefined)).toMatchObject([{ accountId, step: name }]);
    }
    expect(await open(accountId)).toMatchObject({ step: 'purge', nextAt: null, retryAt: null });
    expect(await step(later(99 * DAY))).toBeUndefined();
    await end(accountId, invoiceIds);
  });

  it('gives half a day between two steps to those whom a late worker finds', async () => {
    const { accountId, invoiceIds } = await debtor();
    await fail(accountId, invoiceIds[0] ?? 0);
    expect(await step(later(10 * DAY))).toMatchObject({ step: 'unpaid' });
    expect(await step(later(10 * DAY + 12 * HOUR - 1))).toBeUndefined();
    expect(await step(later(10 * DAY + 12 * HOUR))).toMatchObject({ step: 'first_warning' });
    await end(accountId, invoiceIds);
  });

  it('moves with its settings for those who stand on it, and refuses steps out of order', async () => {
    const { accountId, invoiceIds } = await debtor();
    await fail(accountId, invoiceIds[0] ?? 0);
    await step(start);
    const set = (change: Parameters<typeof changeDunningSettings>[1]) =>
      within((m) => changeDunningSettings(m, change));
    await set({ days: { first_warning: 1 } });
    expect(await open(accountId)).toMatchObject({ nextAt: later(DAY) });
    await set({ days: { first_warning: 0 } });
    expect(await open(accountId)).toMatchObject({ nextAt: later(12 * HOUR) });
    await expect(set({ days: { suspension: 5 } })).rejects.toThrow('billing_settings_ladder');
    await set({ days: { first_warning: 3 } });
    await end(accountId, invoiceIds);
  });
});
