import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runInTransaction } from '#libs/database';
import { newId } from '#libs/kernel';
import { testDatabase } from '../../test/support/test-database.ts';
import { ensureBooks } from './billing-accounts.ts';
import { nextMonth, toDate } from './calendar.ts';
import { closeAccount } from './close-account.ts';
import { invoices } from './invoices.ts';
import { monthForecast, monthSpending } from './month-spending.ts';
import { changePrice, firstPrice } from './price-book.ts';
import { closeServer, openServer, resizeServer, startServer, stopServer } from './server-usage.ts';
import { setBillingProfile, setTaxRate } from './tax.ts';

const database = testDatabase();
const KINDS = ['open', 'close', 'stop', 'start', 'resize', 'invoice'] as const;

interface Event {
  readonly kind: (typeof KINDS)[number];
  readonly type: string;
  readonly waitSeconds: number;
}

const story: fc.Arbitrary<Event[]> = fc.array(
  fc.record({
    kind: fc.constantFrom(...KINDS),
    type: fc.constantFrom('f', 'g'),
    waitSeconds: fc.oneof(fc.nat(100), fc.nat(4 * 86_400)),
  }),
  { minLength: 1, maxLength: 25 },
);

async function prices(): Promise<void> {
  const { manager } = database.dataSource;
  const all = [
    ['compute/f', 1_040_001],
    ['disk/f', 333_333],
    ['compute/g', 77_777_777],
    ['disk/g', 1],
    ['image/none', 0],
  ] as const;
  for (const [item, hourlyMicro] of all) await firstPrice(manager, { item, title: item, hourlyMicro });
}

/** Months of times that no other run has invoiced. */
let year = 2030;

async function play(events: readonly Event[]) {
  const { dataSource } = database;
  const accountId = newId();
  const start = Date.UTC(year++, 0, 20) / 1000;
  await ensureBooks(dataSource.manager, accountId, 'eur', toDate(start));
  const server = { accountId, projectId: 1, serverId: newId(), serverName: 'vm', currency: 'eur' };
  const country = 'DE';
  await setBillingProfile(dataSource.manager, accountId, { name: 'A', address: 'B', country, vatId: null });
  let now = start;
  let isOpen = false;
  for (const { kind, type, waitSeconds } of events) {
    now += waitSeconds;
    const at = toDate(now);
    const size = { serverTypeName: type, isRunning: true };
    if (kind === 'invoice')
      await closeAccount(dataSource, accountId, { until: at, now: at, reason: 'threshold' });
    await runInTransaction(dataSource, async (manager) => {
      if (kind === 'open') await openServer(manager, { ...server, ...size, imageName: 'none' }, at);
      if (kind === 'close') await closeServer(manager, server.serverId, at);
      if (kind === 'stop') await stopServer(manager, server.serverId, at);
      if (kind === 'start') await startServer(manager, server.serverId, at);
      // Only what is billed can be resized.
      if (kind === 'resize' && isOpen) await resizeServer(manager, server.serverId, size, at);
    });
    if (kind === 'open' || kind === 'close') isOpen = kind === 'open';
  }
  return { accountId, now };
}

async function invoicedIn(accountId: number, month: Date) {
  const written = await invoices(database.dataSource.manager, { accountId, limit: 1000 });
  const ofMonth = written.filter(({ periodFrom }) => periodFrom >= month);
  return {
    netMinor: ofMonth.reduce((sum, { netMinor }) => sum + netMinor, 0),
    taxMinor: ofMonth.reduce((sum, { taxMinor }) => sum + taxMinor, 0),
  };
}

describe('what a month comes to', () => {
  it('so far is what an invoice now would add up to, and the forecast what the month is invoiced', async () => {
    const { manager } = database.dataSource;
    await prices();
    await setTaxRate(manager, { country: 'DE', effectiveFrom: new Date(0), basisPoints: 1900 });
    await fc.assert(
      fc.asyncProperty(story, fc.boolean(), async (events, isInvoicedNow) => {
        const { accountId, now } = await play(events);
        const at = toDate(now);
        const soFar = await monthSpending(manager, accountId, at);
        const forecast = await monthForecast(manager, accountId, at);
        if (isInvoicedNow) {
          await closeAccount(database.dataSource, accountId, { until: at, now: at, reason: 'manual' });
          expect(await monthSpending(manager, accountId, at)).toMatchObject({
            totalMinor: soFar.totalMinor,
            invoicedMinor: soFar.totalMinor,
          });
          expect(await invoicedIn(accountId, soFar.month)).toEqual({
            netMinor: soFar.netMinor,
            taxMinor: soFar.taxMinor,
          });
          expect((await monthForecast(manager, accountId, at)).netMinor).toBe(forecast.netMinor);
          return;
        }
        const until = toDate(nextMonth(now));
        const last = await monthSpending(manager, accountId, toDate(nextMonth(now) - 1));
        expect(last.netMinor).toBeLessThanOrEqual(forecast.netMinor);
        await closeAccount(database.dataSource, accountId, { until, now: until, reason: 'month' });
        expect(await invoicedIn(accountId, forecast.month)).toEqual({
          netMinor: forecast.netMinor,
          taxMinor: forecast.taxMinor,
        });
        expect(forecast.totalMinor).toBe(forecast.netMinor + forecast.taxMinor);
      }),
      { numRuns: 60 },
    );
  }, 120_000);

  it('knows a price that begins later in the month', async () => {
    await prices();
    const { accountId, now } = await play([{ kind: 'open', type: 'f', waitSeconds: 0 }]);
    const { manager } = database.dataSource;
    const before = await monthForecast(manager, accountId, toDate(now));
    const effectiveFrom = toDate(now + 86_400);
    await runInTransaction(database.dataSource, (inside) =>
      changePrice(inside, { item: 'compute/f', hourlyMicro: 9_000_000, effectiveFrom, now: toDate(now) }),
    );
    const after = await monthForecast(manager, accountId, toDate(now));
    expect(after.netMinor).toBeGreaterThan(before.netMinor);
    expect((await monthSpending(manager, accountId, toDate(now))).totalMinor).toBe(0);
  });

  it('is nothing for an account that never had books', async () => {
    const none = await monthForecast(database.dataSource.manager, newId(), new Date());
    expect(none).toMatchObject({ netMinor: 0, taxMinor: 0, totalMinor: 0, invoicedMinor: 0 });
  });
});
