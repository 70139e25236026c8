import type { Stripe } from '../stripe/types.ts';
import type { Due } from './due.ts';
import { settleDebit } from './intents.ts';
import { newCardMethod } from './objects.ts';
import { stripeId, type World } from './world.ts';

/** How long a debit is under way. Stripe's test accounts answer after three minutes. */
const UNDER_WAY_SECONDS = 180;

/** Test accounts, and whether their bank pays. Source: docs.stripe.com/testing, "SEPA Direct Debit". */
export const TEST_ACCOUNTS: Readonly<Record<string, boolean>> = {
  AT611904300234573201: true,
  AT861904300235473202: false,
  DE89370400440532013000: true,
  DE62370400440532013001: false,
};

/** The payment method of a bank account; undefined for an account that is no test account. */
export function makeBankAccount(world: World, iban: string, name: string): Stripe.PaymentMethod | undefined {
  const number = iban.replaceAll(/\s/g, '').toUpperCase();
  const isGood = Object.hasOwn(TEST_ACCOUNTS, number) ? TEST_ACCOUNTS[number] : undefined;
  if (isGood === undefined) return undefined;
  const { card: _, ...blank } = newCardMethod(
    world,
    number,
    { brand: 'visa', funding: 'debit' },
    { exp_month: 1, exp_year: 2000, name },
  );
  const method: Stripe.PaymentMethod = {
    ...blank,
    id: stripeId('pm'),
    type: 'sepa_debit',
    sepa_debit: {
      bank_code: number.slice(4, 9),
      branch_code: '',
      country: number.slice(0, 2),
      fingerprint: number.slice(-12),
      generated_from: { charge: null, setup_attempt: null },
      last4: number.slice(-4),
    },
  };
  world.store.put('bank', { id: method.id, isGood });
  return world.store.put('payment_method', method);
}

/** Debits whose banks have made up their minds. */
export function bankDebitsDue(world: World): Due[] {
  return world.store
    .all('payment_intent')
    .flatMap(({ id, status, customer, payment_method, created }): Due[] => {
      if (status !== 'processing') return [];
      const isGood = world.find('bank', String(payment_method)).isGood;
      return [{ at: created + UNDER_WAY_SECONDS, customer, run: () => settleDebit(world, id, isGood) }];
    });
}
