import { afterAll, afterEach, beforeAll } from 'vitest';
import { accountsEntities } from '#libs/accounts';
import { type Collection, collectionsOf, invoice } from '#libs/billing';
import { runInTransaction } from '#libs/database';
import { advanceDunning } from '#libs/dunning';
import { newId } from '#libs/kernel';
import { ordersEntities } from '#libs/orders';
import { type PaymentsHarness, startPayments } from '#libs/payments/harness';
import { placementEntities } from '#libs/placement';
import { runToEnd } from '#libs/saga/harness';
import type { ServerSuspensions } from '#libs/servers';
import type { VolumeSuspensions } from '#libs/volumes';
import { testDatabase } from '../../../test/support/test-database.ts';
import { retryOpenInvoices } from '../collect-invoices.ts';
import { lookAtUnpaid } from '../look-at-unpaid.ts';
import { assertBooksAreTheProviders } from './assert-money.ts';
import { addAccount, addCard, issueInvoice, type MoneyWorld, moneyWorld, setPrices } from './money-world.ts';
import { listenerOf } from './server-world.ts';

export const GOOD = '4242424242424242';
/** Pays when it is set up and is declined when it is charged. */
export const DECLINED_LATER = '4000000000000341';

/** More than any test needs: an event whose handling always fails would go on for ever. */
const MOST_ROUNDS = 500;

/** A world of money for a spec file, by the emulator's clock. After each test the books have what the provider has. */
export function moneyBench() {
  const database = testDatabase({ entities: [...accountsEntities, ...placementEntities, ...ordersEntities] });
  let payments: PaymentsHarness;
  let world: MoneyWorld;

  beforeAll(async () => {
    const { dataSource } = database;
    const clock = { now: () => new Date(payments.emulator.now() * 1000) };
    payments = await startPayments(dataSource, {
      listener: listenerOf(dataSource, () => payments.provider, clock),
    });
    world = moneyWorld(dataSource, payments, payments.emulator.url, clock);
    await setPrices(dataSource);
  });
  afterEach(async () => {
    payments.emulator.clearFaults();
    await settle();
    await assertBooksAreTheProviders(world);
  });
  afterAll(() => payments.close());

  /** Works off all events, those that were lost or failed as well, and what they have started. @throws what does not end */
  async function settle(): Promise<void> {
    await payments.emulator.idle();
    await payments.events.repair({ isFull: true });
    for (let round = 0; round < MOST_ROUNDS; round += 1) {
      await database.dataSource.query(
        'UPDATE stripe_events SET next_try_at = now() WHERE processed_at IS NULL',
      );
      const events = await payments.events.processDue();
      const sagas = await runSagas();
      if (events === 0 && sagas === 0) return;
      await payments.emulator.idle();
    }
    const left = await database.dataSource.query(
      'SELECT type, subject_id, tries, error FROM stripe_events WHERE processed_at IS NULL',
    );
    throw new Error(`this does not end: ${JSON.stringify(left)}`);
  }

  /** Runs every saga that is under way to its end. @returns how many there were */
  async function runSagas(): Promise<number> {
    const due = await database.dataSource.query<{ id: number; name: string }[]>(
      'SELECT id, name FROM sagas WHERE finished_at IS NULL ORDER BY seq',
    );
    for (const { id, name } of due) await runToEnd(world, name, id, []);
    return due.length;
  }

  return {
    settle,
    runSagas,
    get dataSource() {
      return database.dataSource;
    },
    get url() {
      return database.url;
    },
    get manager() {
      return database.dataSource.manager;
    },
    get world() {
      return world;
    },
    get payments() {
      return payments;
    },
    within: <T>(work: Parameters<typeof runInTransaction<T>>[1]) =>
      runInTransaction(database.dataSource, work),
    /** A round of the worker down the ladder, in a world without servers and volumes. */
    advance: () =>
      advanceDunning(
        {
          dataSource: database.dataSource,
          suspensions: { align: async () => 0 } as unknown as ServerSuspensions,
          volumes: { align: async () => 0 } as unknown as VolumeSuspensions,
          collectAgain: (manager, accountId) => retryOpenInvoices(manager, world.store, accountId),
          lookAgain: (accountId) => lookAtUnpaid(world.deps, accountId),
        },
        world.deps.clock.now(),
      ),
    key: () => ({ idempotencyKey: `key ${newId()}` }),
    /** A new account, with a card where a number is given. */
    customer: async (card?: string): Promise<number> => {
      const accountId = await addAccount(world);
      if (card) await addCard(world, accountId, card);
      return accountId;
    },
    /** Issues an invoice and runs its collecting to the end. */
    collected: async (accountId: number, seconds?: number): Promise<number> => {
      const { invoiceId, sagaId } = await issueInvoice(world, accountId, seconds);
      await runToEnd(world, 'collect-invoice', sagaId, []);
      return invoiceId;
    },
    openOf: async (invoiceId: number): Promise<number> =>
      (await invoice(database.dataSource.manager, invoiceId)).openMinor,
    entriesOf: (invoiceId: number) =>
      database.dataSource.query<{ kind: string; amount: number }[]>(
        `SELECT kind, amount_minor AS amount FROM invoice_settlements WHERE invoice_id = $1
         ORDER BY kind, amount_minor`,
        [invoiceId],
      ),
    /** What asked for an invoice last. */
    newest: async (invoiceId: number): Promise<Collection & { readonly providerId: string }> => {
      const [first] = await collectionsOf(database.dataSource.manager, invoiceId);
      if (!first?.providerId) throw new Error('nothing was asked for');
      return { ...first, providerId: first.providerId };
    },
  };
}
