import { describe, expect, it } from 'vitest';
import { newId } from '#libs/kernel';
import {
  billsCustomers,
  cause,
  currency,
  customerWithServer,
  database,
  expectSound,
  invoiced,
  june,
  june2,
  may,
  within,
} from './billed-customers.fixture.ts';
import { ensureBooks, setTier } from './billing-accounts.ts';
import { toDate } from './calendar.ts';
import { closeAccount } from './close-account.ts';
import { creditPayment } from './credit.ts';
import { invoice, invoiceLines, invoices } from './invoices.ts';
import { closeAboveThreshold, openAmountMinor } from './open-usage.ts';
import { changePrice, firstPrice } from './price-book.ts';
import { closeServer, openServer, reimageServer, resizeServer } from './server-usage.ts';
import { changeBillingSettings } from './settings.ts';

billsCustomers();

describe('the lines of an account', () => {
  const secondsOf = async (accountId: number) =>
    database.dataSource.query(
      `SELECT to_char(i.period_from AT TIME ZONE 'UTC', 'MM') AS month, l.component, sum(l.seconds)::int AS seconds,
              count(*)::int AS lines
       FROM invoice_lines l JOIN invoices i ON i.id = l.invoice_id WHERE i.account_id = $1 GROUP BY 1, 2 ORDER BY 1, 2`,
      [accountId],
    );

  it('have the minute that is billed at least, also when it begins in one month and ends in the next', async () => {
    const { accountId, serverId } = await customerWithServer(may(31, '23:59:50'));
    await within((m) => closeServer(m, serverId, may(31, '23:59:55')));
    const closing = { until: new Date('2026-07-01T00:00:00Z'), now: new Date('2026-07-02T00:00:00Z') };
    await closeAccount(database.dataSource, accountId, { ...closing, reason: 'manual' });
    expect(await secondsOf(accountId)).toEqual([
      { month: '05', component: 'compute', seconds: 10, lines: 1 },
      { month: '05', component: 'disk', seconds: 10, lines: 1 },
      { month: '06', component: 'compute', seconds: 50, lines: 1 },
      { month: '06', component: 'disk', seconds: 50, lines: 1 },
    ]);
    await expectSound();
  });

  it('have each second once when a server is resized again and again within one', async () => {
    const { accountId, serverId } = await customerWithServer();
    const size = { serverTypeName: 'big', isRunning: true };
    for (let change = 0; change < 8; change += 1)
      await within((m) => resizeServer(m, serverId, size, may(1)));
    await invoiced(accountId);
    expect(await secondsOf(accountId)).toMatchObject([
      { component: 'compute', seconds: 3600, lines: 1 },
      { component: 'disk', seconds: 3600, lines: 1 },
    ]);
    await expectSound();
  });

  it('have the surcharge of each image that a server is of for as long as it is, and of one without a price none', async () => {
    const { manager } = database.dataSource;
    for (const item of ['image/shop', 'image/wiki'] as const)
      await firstPrice(manager, { item, title: item, hourlyMicro: 60_000_000 });
    const { accountId, serverId } = await customerWithServer();
    const changes = [
      ['shop', '00:20:00'],
      ['shop', '00:30:00'],
      ['wiki', '00:40:00'],
      ['none', '00:50:00'],
    ] as const;
    for (const [image, time] of changes) await within((m) => reimageServer(m, serverId, image, may(1, time)));
    const lines = await invoiceLines(manager, await invoiced(accountId), { limit: 9 });
    expect(
      lines
        .filter(({ component }) => component === 'image')
        .map(({ title, seconds, amountMinor }) => [title, seconds, amountMinor]),
    ).toEqual([
      ['image/shop', 1200, 20],
      ['image/wiki', 600, 10],
    ]);
    const spans = await manager.query<unknown[]>('SELECT FROM usage_spans WHERE server_id = $1', [serverId]);
    expect(spans).toHaveLength(4);
    await expectSound();
  });

  it('never pay out: grains that lean below zero when dearer time replaces billed time are evened out', async () => {
    const { dataSource } = database;
    // A price at which the last second of the capped month decides on the rounding.
    let hourlyMicro = 625_000;
    while ((672 * hourlyMicro) % 1_000_000 <= 500_000 || (672 * hourlyMicro) % 1_000_000 > 500_150)
      hourlyMicro += 1;
    for (const [name, price] of [
      ['grain', hourlyMicro],
      ['dearer', hourlyMicro + 1],
    ] as const) {
      await firstPrice(dataSource.manager, { item: `compute/${name}`, title: name, hourlyMicro: price });
      await firstPrice(dataSource.manager, { item: `disk/${name}`, title: name, hourlyMicro: 0 });
    }
    const [accountId, serverId] = [newId(), newId()];
    const names = { serverName: 'vm', serverTypeName: 'grain', imageName: 'none', currency, isRunning: true };
    await within((m) => openServer(m, { accountId, projectId: 1, serverId, ...names }, may(1)));
    const close = (until: Date) =>
      closeAccount(dataSource, accountId, { until, now: june2, reason: 'manual' });
    await close(may(29));
    const larger = { serverTypeName: 'dearer', isRunning: true };
    await within((m) => resizeServer(m, serverId, larger, may(29)));
    const [second] = await close(may(29, '00:00:01'));
    const lines = await invoiceLines(dataSource.manager, second?.invoiceId ?? 0, { limit: 9 });
    const billed = lines.filter(({ amountMinor, billedSeconds }) => amountMinor !== 0 || billedSeconds !== 0);
    expect(
      billed.map(({ title, billedSeconds, amountMinor }) => [title, billedSeconds, amountMinor]),
    ).toEqual([
      ['grain', -1, -1],
      ['dearer', 1, 0],
      ['Rounding', 0, 1],
    ]);
    expect(await invoice(dataSource.manager, second?.invoiceId ?? 0)).toMatchObject({
      totalMinor: 0,
      openMinor: 0,
    });
    await expectSound();
  });

  it('are all there when they are more than are read at a time', async () => {
    const { accountId } = await customerWithServer();
    await database.dataSource.query(
      `INSERT INTO usage_spans (id, account_id, project_id, server_id, server_name, price_item, opened_at, closed_at)
       SELECT n, $1, 1, n / 7, 'vm', 'compute/big', timestamptz '2026-05-01Z' + n % 7 * interval '9 minutes',
              timestamptz '2026-05-01Z' + n % 7 * interval '9 minutes' + interval '3 minutes'
       FROM generate_series(1, 4500) AS n`,
      [accountId],
    );
    await invoiced(accountId);
    expect(await secondsOf(accountId)).toMatchObject([
      { component: 'compute', seconds: 3600 + 4500 * 180, lines: 4501 },
      { component: 'disk', lines: 1 },
    ]);
    await expectSound();
  });
});

describe('open usage', () => {
  it('is invoiced before the month ends when it passes the threshold of its tier, and not before', async () => {
    const { dataSource } = database;
    const start = new Date('2026-07-01T00:00:00Z');
    const later = (hours: number) => toDate(start.getTime() / 1000 + hours * 3600);
    const { accountId } = await customerWithServer(start);
    const trusted = await customerWithServer(start);
    await setTier(dataSource.manager, trusted.accountId, 'trusted');
    await changeBillingSettings(dataSource.manager, {
      settleSeconds: 3600,
      thresholdMinor: { new: 2200, paid_once: 3000, trusted: 1_000_000 },
    });
    expect(await openAmountMinor(dataSource.manager, accountId, later(2))).toBe(2200);
    const mine = async (now: Date) => {
      await closeAboveThreshold(dataSource, now);
      return (await invoices(dataSource.manager, { accountId, limit: 9 })).map(({ netMinor }) => netMinor);
    };
    expect(await mine(later(3))).toEqual([]);
    expect(await mine(later(4))).toEqual([3300]);
    expect(await mine(later(4))).toEqual([3300]);
    expect(await invoices(dataSource.manager, { accountId: trusted.accountId, limit: 9 })).toEqual([]);
    await expectSound();
  });
});

describe('what is closed', () => {
  it('keeps its prices and its usage', async () => {
    const { accountId, serverId } = await customerWithServer(may(10));
    const { manager } = database.dataSource;
    await closeAccount(database.dataSource, accountId, { until: may(11), now: may(12), reason: 'manual' });
    const past = { item: 'compute/big' as const, hourlyMicro: 1, effectiveFrom: may(10), now: may(10) };
    await expect(changePrice(manager, past)).rejects.toMatchObject({ code: 'price_in_the_past' });
    await expect(
      manager.query(`UPDATE usage_spans SET closed_at = '2026-05-10T12:00Z' WHERE server_id = $1`, [
        serverId,
      ]),
    ).rejects.toThrow('falls into a period that is closed');
    await within((m) =>
      resizeServer(m, serverId, { serverTypeName: 'big', isRunning: true }, may(10, '05:00:00')),
    );
    const closed = await manager.query('SELECT DISTINCT closed_at FROM usage_spans WHERE server_id = $1', [
      serverId,
    ]);
    expect(closed).toEqual(expect.arrayContaining([{ closed_at: may(11) }]));
    await expectSound();
  });

  it('is not overlapped by other usage of the same place', async () => {
    const { serverId } = await customerWithServer(new Date('2027-01-01T00:00:00Z'));
    const twice = database.dataSource.query(
      `INSERT INTO usage_spans (id, account_id, project_id, server_id, server_name, price_item, opened_at, closed_at)
       SELECT id + 1, account_id, project_id, server_id, server_name, price_item, '2027-02-01Z', '2027-02-02Z'
       FROM usage_spans WHERE server_id = $1`,
      [serverId],
    );
    await expect(twice).rejects.toThrow('usage_spans_no_overlap');
  });

  it('is kept in one currency per account', async () => {
    const { accountId } = await customerWithServer(new Date('2027-01-01T00:00:00Z'));
    await ensureBooks(database.dataSource.manager, accountId, 'usd', june);
    const paid = { accountId, currency: 'usd', amountMinor: 5, at: june, cause: cause() };
    await expect(creditPayment(database.dataSource.manager, paid)).rejects.toMatchObject({
      code: 'currency_differs',
    });
  });
});
