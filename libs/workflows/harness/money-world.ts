import type { DataSource } from 'typeorm';
import { accountsEntities } from '#libs/accounts';
import { type Closing, closeAccount, ensureBooks, firstPrice, openServer } from '#libs/billing';
import { createDataSource, runInTransaction } from '#libs/database';
import { type Clock, newId, systemClock } from '#libs/kernel';
import { connectPayments, type PaymentsHarness, startPayments, submit } from '#libs/payments/harness';
import { FindingsService, placementEntities } from '#libs/placement';
import { SagaStore } from '#libs/saga';
import type { SagaWorld, WorldAddress } from '#libs/saga/harness';
import { createTestDatabase } from '../../../test/support/postgres.ts';
import { startCollecting } from '../collect-invoices.ts';
import type { CollectingDeps } from '../collecting-deps.ts';
import { moneyWorkflows } from '../index.ts';
import { listenerOf } from './server-world.ts';

type Connected = Pick<PaymentsHarness, 'provider' | 'calls' | 'cards' | 'topUps' | 'events'>;

/** All that the workflows of money touch: PostgreSQL and Stripe's emulator. */
export interface MoneyWorld extends SagaWorld {
  readonly store: SagaStore;
  readonly deps: CollectingDeps;
  readonly topUps: Connected['topUps'];
  readonly events: Connected['events'];
  readonly emulatorUrl: string;
}

/** Since when the accounts of this world have books. */
const START = new Date('2026-05-01T00:00:00Z');
/** What is used for an hour of the servers of this world, in minor units. */
export const HOUR_MINOR = 1100;
const entities = [...accountsEntities, ...placementEntities];
const started = new Map<string, () => Promise<void>>();

export async function createMoneyWorld(): Promise<WorldAddress> {
  const database = await createTestDatabase();
  const dataSource = await createDataSource(database.url, { entities }).initialize();
  await setPrices(dataSource);
  const payments = await startPayments(dataSource, {
    listener: listenerOf(dataSource, () => payments.provider),
  });
  started.set(database.url, async () => {
    await payments.close();
    await dataSource.destroy();
    await database.drop();
  });
  return { url: database.url, stripePort: String(payments.emulator.port) };
}

export async function destroyMoneyWorld({ url = '' }: WorldAddress): Promise<void> {
  await started.get(url)?.();
  started.delete(url);
}

export async function attachToMoneyWorld({ url = '', stripePort = '' }: WorldAddress): Promise<MoneyWorld> {
  const dataSource = await createDataSource(url, { entities }).initialize();
  const stripe = { host: '127.0.0.1', port: Number(stripePort) };
  const connected: Connected = connectPayments(
    dataSource,
    stripe,
    listenerOf(dataSource, () => connected.provider),
  );
  return moneyWorld(dataSource, connected, `http://127.0.0.1:${stripePort}`);
}

/** A world on payments that somebody has started. */
export function moneyWorld(
  dataSource: DataSource,
  connected: Connected,
  emulatorUrl: string,
  clock: Clock = systemClock,
): MoneyWorld {
  const { provider, calls, cards, topUps, events } = connected;
  const store = new SagaStore(dataSource);
  const findings = new FindingsService(dataSource);
  const deps: CollectingDeps = { dataSource, provider, calls, cards, sagas: store, findings, clock };
  return {
    dataSource,
    sagas: moneyWorkflows(deps),
    store,
    deps,
    topUps,
    events,
    emulatorUrl,
    close: () => dataSource.destroy(),
  };
}

/** 10.00 an hour for CPU and RAM, 1.00 for the disk. */
export async function setPrices({ manager }: DataSource): Promise<void> {
  await firstPrice(manager, { item: 'compute/big', title: 'big: CPU and RAM', hourlyMicro: 1_000_000_000 });
  await firstPrice(manager, { item: 'disk/big', title: 'big: disk', hourlyMicro: 100_000_000 });
}

/** A customer without a card, whose books are open. */
export async function addAccount({ dataSource }: Pick<MoneyWorld, 'dataSource'>): Promise<number> {
  const id = newId();
  await dataSource.query(
    `INSERT INTO accounts (id, email, password_hash, name, role, max_servers, max_vcpus, max_memory_mib)
     VALUES ($1, $2, 'none', 'Ada', 'customer', 5, 8, 16384)`,
    [id, `customer-${id}@example.test`],
  );
  await ensureBooks(dataSource.manager, id, 'eur', START);
  return id;
}

/** The customer enters a card on the provider's page; it becomes the default one. */
export async function addCard({ deps }: MoneyWorld, accountId: number, number: string): Promise<void> {
  const { setupId, url } = await deps.cards.openSetup({
    accountId,
    email: `customer-${accountId}@example.test`,
    currency: 'eur',
    successUrl: 'http://127.0.0.1:9/back',
    cancelUrl: 'http://127.0.0.1:9/back',
  });
  await submit(url, { number, expiry: '12 / 34', cvc: '123', name: 'Ada' });
  await deps.cards.finishSetup(accountId, setupId);
}

/** So many seconds of a big server are invoiced, and the invoice is to be collected. Periods follow each other. */
export async function issueInvoice(
  { dataSource, store }: Pick<MoneyWorld, 'dataSource' | 'store'>,
  accountId: number,
  seconds = 3600,
): Promise<{ invoiceId: number; sagaId: number }> {
  const [last] = await dataSource.query<{ at: Date }[]>(
    'SELECT max(period_until) AS at FROM invoices WHERE account_id = $1',
    [accountId],
  );
  const from = last?.at ?? START;
  const until = new Date(from.getTime() + seconds * 1000);
  const names = { serverName: 'web-1', serverTypeName: 'big', imageName: 'none', currency: 'eur' };
  const server = { accountId, projectId: 1, serverId: newId(), isRunning: true, ...names };
  await runInTransaction(dataSource, (manager) => openServer(manager, server, from));
  await dataSource.query('UPDATE usage_spans SET closed_at = $2 WHERE server_id = $1', [
    server.serverId,
    until,
  ]);
  let sagaId = 0;
  const closing: Closing = {
    until,
    now: new Date(),
    reason: 'manual',
    onIssued: async (manager, { invoiceId }) => {
      sagaId = (await startCollecting(manager, store, invoiceId))?.sagaId ?? 0;
    },
  };
  const [issued] = await closeAccount(dataSource, accountId, closing);
  if (!issued) throw new Error('nothing was invoiced');
  return { invoiceId: issued.invoiceId, sagaId };
}
