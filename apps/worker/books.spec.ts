import { PinoLogger } from 'nestjs-pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { firstPrice, invoices, openServer } from '#libs/billing';
import { newId, systemClock } from '#libs/kernel';
import { type PaymentsHarness, startPayments } from '#libs/payments/harness';
import { FindingsService, placementEntities } from '#libs/placement';
import { SagaStore } from '#libs/saga';
import { behindTheBack } from '../../test/support/superuser.ts';
import { testDatabase } from '../../test/support/test-database.ts';
import { Books } from './books.ts';

const database = testDatabase({ entities: placementEntities });
const accountId = newId();
let books: Books;
let payments: PaymentsHarness;

beforeAll(async () => {
  const { dataSource } = database;
  payments = await startPayments(dataSource);
  const { provider, calls, cards } = payments;
  const [sagas, findings] = [new SagaStore(dataSource), new FindingsService(dataSource)];
  books = new Books(
    dataSource,
    findings,
    { dataSource, provider, calls, cards, sagas, findings, clock: systemClock },
    new PinoLogger({ pinoHttp: { level: 'silent' } }),
  );
  await firstPrice(dataSource.manager, { item: 'disk/w', title: 'w: disk', hourlyMicro: 5_000_000 });
  await firstPrice(dataSource.manager, { item: 'compute/w', title: 'w: CPU', hourlyMicro: 5_000_000 });
  const names = { serverName: 'vm', serverTypeName: 'w', imageName: 'none', currency: 'eur' };
  const server = { accountId, projectId: 1, serverId: newId(), isRunning: true, ...names };
  const twoMonthsAgo = new Date(Date.now() - 62 * 86_400_000);
  await dataSource.transaction((manager) => openServer(manager, server, twoMonthsAgo));
});

afterAll(() => payments.close());

async function findings(): Promise<string[]> {
  const { items } = await new FindingsService(database.dataSource).list();
  return items.map(({ kind, subject }) => `${kind}: ${subject}`);
}

it('invoices months that are over, and tells of an account that could not be invoiced until it is', async () => {
  const { dataSource } = database;
  await dataSource.query('ALTER TABLE invoices ADD CONSTRAINT broken CHECK (false)');
  await books.closeDue();
  expect(await findings()).toEqual([`account_not_invoiced: account ${accountId}`]);
  await dataSource.query('ALTER TABLE invoices DROP CONSTRAINT broken');
  await books.closeDue();
  expect(await findings()).toEqual([]);
  const written = await invoices(dataSource.manager, { accountId, limit: 9 });
  expect(written.length).toBeGreaterThan(0);
  const asked = await dataSource.query<unknown[]>(`SELECT id FROM sagas WHERE name = 'collect-invoice'`);
  expect(asked).toHaveLength(written.length);
  await books.closeDue();
  expect(await invoices(dataSource.manager, { accountId, limit: 9 })).toEqual(written);
});

it('tells of books that differ, until they do not', async () => {
  const change = (by: number) =>
    behindTheBack(database, (manager) =>
      manager.query(
        `UPDATE ledger_entries SET amount = amount + ${by} WHERE (transaction_id, line) =
           (SELECT transaction_id, line FROM ledger_entries WHERE account = 'rounding'
            ORDER BY transaction_id LIMIT 1)`,
      ),
    );
  expect(await books.check()).toBe(0);
  await change(1);
  expect(await books.check()).toBe(2);
  expect(await findings()).toHaveLength(2);
  await change(-1);
  expect(await books.check()).toBe(0);
  expect(await findings()).toEqual([]);
});
