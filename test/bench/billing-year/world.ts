import type { DataSource } from 'typeorm';
import { accountsEntities } from '#libs/accounts';
import { ensureBooks, setBillingProfile, setPaying, setRecharge } from '#libs/billing';
import type { Clock } from '#libs/kernel';
import { EVENT_TYPES } from '#libs/payments';
import { type PaymentsHarness, startPayments, submit } from '#libs/payments/harness';
import { placementEntities } from '#libs/placement';
import { type MoneyWorld, moneyWorld } from '../../../libs/workflows/harness/money-world.ts';
import { listenerOf } from '../../../libs/workflows/harness/server-world.ts';
import { Crew } from './crew.ts';
import { TIMEOUT_MILLISECONDS } from './faults.ts';
import { openShop, START } from './market.ts';
import type { Customer } from './record.ts';

export const GOOD = '4242424242424242';
export const DECLINED_LATER = '4000000000000341';
export const DISPUTING = '4000000000000259';

/** What the year's database knows of. */
export const yearEntities = [...accountsEntities, ...placementEntities];

/** The shop, the provider beside it, and those who work. */
export interface YearWorld {
  readonly dataSource: DataSource;
  readonly payments: PaymentsHarness;
  readonly money: MoneyWorld;
  readonly crew: Crew;
  readonly close: () => Promise<void>;
}

export async function openWorld(dataSource: DataSource, databaseUrl: string): Promise<YearWorld> {
  const clock: Clock = { now: () => new Date(payments.emulator.now() * 1000) };
  const payments: PaymentsHarness = await startPayments(dataSource, {
    listener: listenerOf(dataSource, () => payments.provider, clock),
    timeoutMilliseconds: TIMEOUT_MILLISECONDS,
    emulator: { payoutEveryDays: 7, webhookEvents: Object.values(EVENT_TYPES).flat() },
  });
  const { emulator } = payments;
  emulator.advance(START / 1000 - emulator.now());
  await openShop(dataSource);
  const address = { databaseUrl, stripePort: emulator.port, timeoutMilliseconds: TIMEOUT_MILLISECONDS };
  const crew = new Crew(dataSource, address);
  return {
    dataSource,
    payments,
    money: moneyWorld(dataSource, payments, emulator.url, clock),
    crew,
    close: async () => {
      await crew.stop();
      await payments.close();
    },
  };
}

/** A new account with its books and its way to pay. */
export async function addCustomer(world: YearWorld, customer: Customer): Promise<void> {
  const { manager } = world.dataSource;
  const { accountId, kind, country, vatId } = customer;
  await manager.query(
    `INSERT INTO accounts (id, email, password_hash, name, role, max_servers, max_vcpus, max_memory_mib)
     VALUES ($1, $2, 'none', 'Ada', 'customer', 5, 8, 16384)`,
    [accountId, emailOf(customer)],
  );
  await ensureBooks(manager, accountId, 'eur', new Date(START));
  if (country) await setBillingProfile(manager, accountId, { name: 'Ada', address: 'Here', country, vatId });
  if (kind === 'terms') await setPaying(manager, accountId, { by: 'terms', days: 14 });
  if (kind === 'prepaid' || kind === 'recharged') await setPaying(manager, accountId, { by: 'prepaid' });
  if (kind === 'recharged') await setRecharge(manager, accountId, { belowMinor: 1500, amountMinor: 4000 });
  const card = firstCard(customer);
  if (card) await enterCard(world, customer, card);
}

function firstCard({ kind }: Customer): string | undefined {
  if (kind === 'good_card' || kind === 'recharged') return GOOD;
  if (kind === 'disputing_card') return DISPUTING;
  return kind === 'declined_later' || kind === 'replaced_card' ? DECLINED_LATER : undefined;
}

/** The customer enters a card on the provider's page; it becomes the default one. */
export async function enterCard({ payments }: YearWorld, customer: Customer, number: string): Promise<void> {
  const { accountId } = customer;
  const { setupId, url } = await patiently(() =>
    payments.cards.openSetup({ accountId, email: emailOf(customer), currency: 'eur', ...BACK }),
  );
  await submit(url, { number, ...CARD });
  await patiently(() => payments.cards.finishSetup(accountId, setupId));
}

/** The customer pays in on the provider's page. */
export async function payIn({ payments }: YearWorld, customer: Customer, amountMinor: number): Promise<void> {
  const { accountId } = customer;
  const asked = { accountId, amountMinor, email: emailOf(customer), currency: 'eur' as const, ...BACK };
  const { url } = await patiently(() => payments.topUps.open({ ...asked, savesCard: false }));
  await submit(url, { number: GOOD, ...CARD });
}

const BACK = { successUrl: 'http://127.0.0.1:9/back', cancelUrl: 'http://127.0.0.1:9/back' };
const CARD = { expiry: '12 / 34', cvc: '123', name: 'Ada' };

function emailOf({ accountId }: Customer): string {
  return `customer-${accountId}@example.test`;
}

/** Whoever sits before a page that fails tries once more. @throws what the last of many tries has thrown */
export async function patiently<T>(attempt: () => Promise<T>, tries = 12): Promise<T> {
  for (let left = tries; ; left -= 1) {
    try {
      return await attempt();
    } catch (error) {
      if (left <= 1) throw error;
    }
  }
}
