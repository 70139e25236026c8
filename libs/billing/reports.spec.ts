import { describe, expect, it } from 'vitest';
import { runInTransaction } from '#libs/database';
import { newId } from '#libs/kernel';
import { testDatabase } from '../../test/support/test-database.ts';
import { checkBooks } from './check-books.ts';
import { closeAccount } from './close-account.ts';
import { closeDue } from './close-due.ts';
import { grantCredit } from './credit.ts';
import { invoices } from './invoices.ts';
import { ledgerBalance } from './ledger.ts';
import { openAmountMinor } from './open-usage.ts';
import { firstPrice } from './price-book.ts';
import { ledgerEntries, receivablesByAge, revenueByMonth } from './reports.ts';
import { openServer, resizeServer } from './server-usage.ts';
import { changeBillingSettings } from './settings.ts';
import { type PlaceUsage, usageBy } from './usage-by.ts';

const database = testDatabase();
const currency = 'eur';
const moment = (text: string) => new Date(`2026-${text}Z`);

/** A server of 10.00 an hour since a moment. */
async function customerSince(since: Date): Promise<{ accountId: number; serverId: number }> {
  const { dataSource } = database;
  await firstPrice(dataSource.manager, { item: 'disk/r', title: 'r: disk', hourlyMicro: 0 });
  await firstPrice(dataSource.manager, { item: 'compute/r', title: 'r: CPU', hourlyMicro: 1_000_000_000 });
  await firstPrice(dataSource.manager, { item: 'disk/t', title: 't: disk', hourlyMicro: 0 });
  await firstPrice(dataSource.manager, { item: 'compute/t', title: 't: CPU', hourlyMicro: 2_000_000_003 });
  const accountId = newId();
  const serverId = newId();
  const server = { accountId, projectId: 1, serverId, currency, isRunning: true };
  const names = { serverName: 'vm', serverTypeName: 'r', imageName: 'none' };
  await runInTransaction(dataSource, (manager) => openServer(manager, { ...server, ...names }, since));
  return { accountId, serverId };
}

async function days(accountId: number, from: Date, until: Date): Promise<PlaceUsage[]> {
  const all: PlaceUsage[] = [];
  for await (const chunk of usageBy('day', database.dataSource.manager, accountId, { from, until }))
    all.push(...chunk);
  return all.filter(({ component }) => component === 'compute');
}

const sum = (list: readonly PlaceUsage[]) => list.reduce((total, { amountMicro }) => total + amountMicro, 0n);

describe('usage by day', () => {
  it('sums to what the month costs, cap and resize included', async () => {
    const { accountId, serverId } = await customerSince(moment('05-01T12:00:00'));
    await runInTransaction(database.dataSource, (manager) =>
      resizeServer(manager, serverId, { serverTypeName: 't', isRunning: true }, moment('05-03T06:00:00')),
    );
    const listed = await days(accountId, moment('05-01T00:00:00'), moment('06-02T00:00:00'));
    expect(listed.map(({ seconds }) => seconds)).toEqual([
      43_200,
      ...Array.from({ length: 31 }, () => 86_400),
    ]);
    const may = listed.filter(({ day }) => day < moment('06-01T00:00:00'));
    const closing = {
      until: moment('06-01T00:00:00'),
      now: moment('06-01T00:10:00'),
      reason: 'manual' as const,
    };
    await closeAccount(database.dataSource, accountId, closing);
    const entries = await ledgerEntries(database.dataSource.manager, {
      account: 'revenue_compute',
      cause: { kind: 'invoice' },
      limit: 10,
    });
    expect(entries).toMatchObject([{ causeKind: 'invoice', amount: String(-sum(may)) }]);
    expect(await days(accountId, moment('05-02T00:00:00'), moment('05-02T01:00:00'))).toMatchObject([
      { seconds: 3600, amountMicro: 1_000_000_000n, day: moment('05-02T00:00:00'), serverId },
    ]);
  });
});

describe('what is due', () => {
  it('is done once: months that are over, open usage above the threshold, expired credit', async () => {
    const { dataSource } = database;
    await changeBillingSettings(dataSource.manager, {
      settleSeconds: 600,
      thresholdMinor: { new: 5000, paid_once: 5000, trusted: 5000 },
    });
    const { accountId } = await customerSince(moment('07-31T20:00:00'));
    const grant = {
      accountId,
      currency,
      amountMinor: 100,
      source: 'grant' as const,
      at: moment('07-31T20:00:00'),
    };
    const expiresAt = moment('08-01T00:00:00');
    await runInTransaction(dataSource, (m) =>
      grantCredit(m, { ...grant, expiresAt, cause: { kind: 'g', id: '1' } }),
    );
    const nets = async (now: Date) => {
      const reports = await Promise.all([closeDue(dataSource, now), closeDue(dataSource, now)]);
      expect(reports.flatMap(({ failures }) => failures)).toEqual([]);
      return (await invoices(dataSource.manager, { accountId, limit: 9 })).map(({ netMinor }) => netMinor);
    };
    expect(await nets(moment('08-01T00:09:59'))).toEqual([]);
    expect(await nets(moment('08-01T00:10:00'))).toEqual([4000]);
    expect(await nets(moment('08-01T05:10:00'))).toEqual([4000]);
    expect(await openAmountMinor(dataSource.manager, accountId, moment('08-01T05:00:00'))).toBe(5000);
    expect(await nets(moment('08-01T05:11:00'))).toEqual([5017, 4000]);
    expect(
      await ledgerBalance(dataSource.manager, 'customer_credit', currency, { customerId: accountId }),
    ).toBe(0n);
    expect(await checkBooks(dataSource.manager)).toEqual([]);
  });
});

describe('what the operator reads', () => {
  it('is revenue by month and product, and what is owed by age', async () => {
    const { manager } = database.dataSource;
    const year = { from: moment('01-01T00:00:00'), until: moment('12-31T00:00:00') };
    const revenue = await revenueByMonth(manager, year);
    const july = revenue.filter(({ month, netMinor }) => Number(month) === Date.UTC(2026, 6) && netMinor > 0);
    expect(july).toMatchObject([
      { component: 'compute', title: 't: CPU', seconds: 31 * 86_400, netMinor: 1_344_000 },
      { component: 'compute', title: 'r: CPU', seconds: 14_400, netMinor: 4000 },
    ]);
    const all = await ledgerEntries(manager, { account: 'revenue_compute', limit: 100 });
    const worth = all.reduce((total, { amount }) => total - Number(amount), 0);
    expect(revenue.reduce((total, { netMinor }) => total + netMinor, 0)).toBeCloseTo(worth / 1_000_000, -1);
    const ages = await receivablesByAge(manager, moment('08-20T00:00:00'));
    expect(ages.map(({ age, invoices: count }) => [age, count])).toEqual([
      ['up_to_30_days', 5],
      ['up_to_90_days', 1],
    ]);
    const owed = await ledgerBalance(manager, 'receivable', currency);
    expect(ages.reduce((total, { openMinor }) => total + openMinor, 0)).toBe(Number(owed));
  });
});
