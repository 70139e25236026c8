import type { EntityManager } from 'typeorm';
import { BillingError } from './billing.errors.ts';

/** How far an account is trusted: it decides how much usage may stand open. */
export type TrustTier = 'new' | 'paid_once' | 'trusted';

/** An account as its books know it. */
export interface BillingAccount {
  readonly accountId: number;
  readonly currency: string;
  /** No usage before this moment is added or changed any more. */
  readonly sealedUntil: Date;
  /** Usage before this moment has been invoiced. */
  readonly billedUntil: Date;
  readonly tier: TrustTier;
  /** Within so many days invoices are paid; null where they are charged to the card. */
  readonly termsDays: number | null;
}

/**
 * `usage`: several may write usage side by side, and an invoice may be written meanwhile; only sealing waits.
 * `money`: one at a time may write invoices, settle them and use credit.
 * `seal`: alone.
 */
export type BooksLock = 'usage' | 'money' | 'seal';

const LOCKS: Readonly<Record<BooksLock, string>> = {
  usage: 'FOR KEY SHARE',
  money: 'FOR NO KEY UPDATE',
  seal: 'FOR UPDATE',
};

/** Opens an account's books when it has none yet: nothing before `at` is ever billed. */
export async function ensureBooks(
  manager: EntityManager,
  accountId: number,
  currency: string,
  at: Date,
): Promise<void> {
  await manager.query(
    `INSERT INTO billing_accounts (account_id, currency, sealed_until, billed_until)
     VALUES ($1, $2, date_trunc('second', $3::timestamptz), date_trunc('second', $3::timestamptz))
     ON CONFLICT (account_id) DO NOTHING`,
    [accountId, currency, at],
  );
}

/**
 * Reads an account's books and locks them until the transaction ends.
 * @throws BillingError `billing_account_not_found`, or `currency_differs` when `currency` is not theirs
 */
export async function lockBooks(
  manager: EntityManager,
  accountId: number,
  lock: BooksLock,
  currency?: string,
): Promise<BillingAccount> {
  const [books] = await manager.query<BillingAccount[]>(
    `SELECT account_id AS "accountId", currency, sealed_until AS "sealedUntil", billed_until AS "billedUntil", tier,
            terms_days AS "termsDays"
     FROM billing_accounts WHERE account_id = $1 ${LOCKS[lock]}`,
    [accountId],
  );
  if (!books) throw new BillingError('billing_account_not_found', `account ${accountId} has no books yet`);
  if (currency === undefined || currency === books.currency) return books;
  throw new BillingError(
    'currency_differs',
    `account ${accountId} is billed in ${books.currency}, not in ${currency}`,
  );
}

/** The operator trusts an account more, or less. The next look at the thresholds uses it. */
export async function setTier(manager: EntityManager, accountId: number, tier: TrustTier): Promise<void> {
  await manager.query('UPDATE billing_accounts SET tier = $2 WHERE account_id = $1', [accountId, tier]);
}
