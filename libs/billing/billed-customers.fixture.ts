import { expect } from 'vitest';
import { runInTransaction } from '#libs/database';
import { newId } from '#libs/kernel';
import { testDatabase } from '../../test/support/test-database.ts';
import { checkBooks } from './check-books.ts';
import { closeAccount } from './close-account.ts';
import type { Cause } from './ledger.ts';
import { firstPrice } from './price-book.ts';
import { openServer } from './server-usage.ts';

export const currency = 'eur';
export const may = (day: number, time = '00:00:00') =>
  new Date(`2026-05-${String(day).padStart(2, '0')}T${time}Z`);
export const june = new Date('2026-06-01T00:00:00Z');
export const june2 = new Date('2026-06-02T00:00:00Z');
export const cause = (): Cause => ({ kind: 'test', id: String(newId()) });

export let database: ReturnType<typeof testDatabase>;

/** A database for the spec file, for customers whose usage is billed. */
export function billsCustomers(): void {
  database = testDatabase();
}

export function within<T>(work: Parameters<typeof runInTransaction<T>>[1]): Promise<T> {
  return runInTransaction(database.dataSource, work);
}

/** A customer with a server of 10.00 an hour for CPU and RAM, 1.00 for its disk, since a moment of May. */
export async function customerWithServer(since = may(1)): Promise<{ accountId: number; serverId: number }> {
  const { manager } = database.dataSource;
  await firstPrice(manager, { item: 'compute/big', title: 'big: CPU and RAM', hourlyMicro: 1_000_000_000 });
  await firstPrice(manager, { item: 'disk/big', title: 'big: disk', hourlyMicro: 100_000_000 });
  const accountId = newId();
  const serverId = newId();
  const names = { serverName: 'web-1', serverTypeName: 'big', imageName: 'none' };
  await within((m) =>
    openServer(m, { accountId, projectId: 1, serverId, currency, isRunning: true, ...names }, since),
  );
  return { accountId, serverId };
}

/** One hour of it: 1,100 minor units net. */
export async function invoiced(accountId: number): Promise<number> {
  const closing = { until: may(1, '01:00:00'), now: june2, reason: 'manual' as const };
  const [issued] = await closeAccount(database.dataSource, accountId, closing);
  return issued?.invoiceId ?? 0;
}

export async function expectSound(): Promise<void> {
  expect(await checkBooks(database.dataSource.manager)).toEqual([]);
}
