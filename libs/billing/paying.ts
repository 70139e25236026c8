import type { EntityManager } from 'typeorm';
import { BillingError } from './billing.errors.ts';
import { creditBalanceMinor } from './credit.ts';
import { openAmountMinor } from './open-usage.ts';

/**
 * How an account pays. `card`: invoices are charged to the card on file. `prepaid`: from credit that is paid in
 * before; nothing new is made without it. `terms`: invoices are sent, and paid within so many days.
 */
export type Paying = { readonly by: 'card' | 'prepaid' } | { readonly by: 'terms'; readonly days: number };

/** Credit is recharged from the card by so much when it falls below the mark. */
export interface Recharge {
  readonly belowMinor: number;
  readonly amountMinor: number;
}

interface Row {
  readonly by: Paying['by'];
  readonly days: number | null;
  readonly belowMinor: number | null;
  readonly amountMinor: number | null;
}

/** An account that has no books yet pays by card. */
export async function payingOf(
  manager: EntityManager,
  accountId: number,
): Promise<{ readonly paying: Paying; readonly recharge: Recharge | null }> {
  const [row] = await manager.query<Row[]>(
    `SELECT paying AS by, terms_days AS days, recharge_below_minor AS "belowMinor",
            recharge_amount_minor AS "amountMinor" FROM billing_accounts WHERE account_id = $1`,
    [accountId],
  );
  const { by = 'card', days = null, belowMinor = null, amountMinor = null } = row ?? {};
  const paying: Paying = by === 'terms' ? { by, days: days ?? 0 } : { by };
  return { paying, recharge: belowMinor && amountMinor ? { belowMinor, amountMinor } : null };
}

/**
 * The operator decides how an account pays; the next invoice follows it.
 * @throws BillingError `billing_account_not_found` (open its books first), `terms_malformed`
 */
export async function setPaying(manager: EntityManager, accountId: number, paying: Paying): Promise<void> {
  const days = paying.by === 'terms' ? paying.days : null;
  if (days !== null && !(Number.isInteger(days) && days >= 1 && days <= 365)) {
    throw new BillingError('terms_malformed', `terms are 1 to 365 whole days, not ${days}`);
  }
  await changed(
    accountId,
    manager.query('UPDATE billing_accounts SET paying = $2, terms_days = $3 WHERE account_id = $1', [
      accountId,
      paying.by,
      days,
    ]),
  );
}

/**
 * The customer has credit recharged when it falls below a mark, or not any more.
 * @throws BillingError `billing_account_not_found`, `amount_malformed` (a mark above 0, an amount of 50 at least)
 */
export async function setRecharge(
  manager: EntityManager,
  accountId: number,
  recharge: Recharge | null,
): Promise<void> {
  const isGood = ({ belowMinor, amountMinor }: Recharge) =>
    Number.isSafeInteger(belowMinor) &&
    Number.isSafeInteger(amountMinor) &&
    belowMinor > 0 &&
    amountMinor >= 50;
  if (recharge && !isGood(recharge)) {
    throw new BillingError(
      'amount_malformed',
      'a recharge has a mark above 0 and an amount of 50 minor units or more',
    );
  }
  await changed(
    accountId,
    manager.query(
      `UPDATE billing_accounts SET recharge_below_minor = $2, recharge_amount_minor = $3, recharge_armed = true
       WHERE account_id = $1`,
      [accountId, recharge?.belowMinor ?? null, recharge?.amountMinor ?? null],
    ),
  );
}

/** The next fall of an account's credit below its mark recharges it; or this one does not any more. */
export async function armRecharge(
  manager: EntityManager,
  accountId: number,
  isArmed: boolean,
): Promise<void> {
  await manager.query('UPDATE billing_accounts SET recharge_armed = $2 WHERE account_id = $1', [
    accountId,
    isArmed,
  ]);
}

/**
 * What an account may still use: its credit, less what it has used since its last invoice, tax left aside. In minor
 * units; 0 where it has no books yet.
 */
export async function availableCreditMinor(
  manager: EntityManager,
  accountId: number,
  at: Date,
): Promise<number> {
  const [books] = await manager.query<{ currency: string }[]>(
    'SELECT currency FROM billing_accounts WHERE account_id = $1',
    [accountId],
  );
  if (!books) return 0;
  const credit = await creditBalanceMinor(manager, accountId, books.currency);
  return credit - (await openAmountMinor(manager, accountId, at));
}

async function changed(accountId: number, update: Promise<[unknown[], number]>): Promise<void> {
  const [, count] = await update;
  if (count > 0) return;
  throw new BillingError('billing_account_not_found', `account ${accountId} has no books yet`);
}
