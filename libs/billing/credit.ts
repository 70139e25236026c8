import type { EntityManager } from 'typeorm';
import { newId } from '#libs/kernel';
import { ensureBooks, lockBooks } from './billing-accounts.ts';
import { type Cause, credit, debit, ledgerBalance, post } from './ledger.ts';

/** Where credit came from. Only what was given away may expire. */
export type CreditSource = 'payment' | 'grant' | 'promotion' | 'refund';

/** Money that an account gets with us. */
export interface NewCredit {
  readonly accountId: number;
  readonly currency: string;
  readonly amountMinor: number;
  readonly at: Date;
  readonly cause: Cause;
  /** Why, for the customer. */
  readonly note?: string;
}

export interface CreditGrant extends NewCredit {
  readonly source: 'grant' | 'promotion';
  readonly expiresAt?: Date;
}

/** Money that came in at the provider becomes credit. A cause is credited once. @returns false on a repetition */
export async function creditPayment(manager: EntityManager, paid: NewCredit): Promise<boolean> {
  const { accountId: customerId, amountMinor } = paid;
  await ensureBooks(manager, paid.accountId, paid.currency, paid.at);
  await lockBooks(manager, customerId, 'money', paid.currency);
  const isNew = await post(manager, {
    ...paid,
    entries: [debit('stripe_clearing', amountMinor), credit('customer_credit', amountMinor, { customerId })],
  });
  if (isNew) await addLot(manager, { ...paid, source: 'payment' });
  return isNew;
}

/** Whose credit the money of a payment has become, as a whole and not as part of what paid an invoice. */
export async function creditedBy(manager: EntityManager, paymentId: string): Promise<number | undefined> {
  const [row] = await manager.query<{ accountId: number }[]>(
    `SELECT e.customer_id AS "accountId" FROM ledger_transactions t JOIN ledger_entries e ON e.transaction_id = t.id
     WHERE t.cause_kind = 'top_up' AND t.cause_id = $1 AND e.account = 'customer_credit'`,
    [paymentId],
  );
  return row?.accountId;
}

/** Credit that we give away. @returns false on a repetition */
export async function grantCredit(manager: EntityManager, grant: CreditGrant): Promise<boolean> {
  const { accountId: customerId, amountMinor } = grant;
  await ensureBooks(manager, grant.accountId, grant.currency, grant.at);
  await lockBooks(manager, customerId, 'money', grant.currency);
  const isNew = await post(manager, {
    ...grant,
    entries: [debit('promotions', amountMinor), credit('customer_credit', amountMinor, { customerId })],
  });
  if (isNew) await addLot(manager, grant);
  return isNew;
}

/** What an account has with us, in minor units, as the ledger says. */
export async function creditBalanceMinor(
  manager: EntityManager,
  accountId: number,
  currency: string,
): Promise<number> {
  return Number(-(await ledgerBalance(manager, 'customer_credit', currency, { customerId: accountId })));
}

/** Credit that an account got, and what is left of it, in minor units. */
export interface CreditLot {
  readonly id: number;
  readonly source: CreditSource;
  readonly note: string;
  readonly currency: string;
  readonly amountMinor: number;
  readonly remainingMinor: number;
  readonly grantedAt: Date;
  readonly expiresAt: Date | null;
}

/** The newest first. */
export function creditLots(
  manager: EntityManager,
  accountId: number,
  page: { readonly limit: number; readonly offset?: number },
): Promise<CreditLot[]> {
  return manager.query<CreditLot[]>(
    `SELECT l.id, l.source, l.note, l.currency, l.amount_minor AS "amountMinor",
            (l.amount_minor - coalesce(sum(u.amount_minor), 0))::bigint AS "remainingMinor",
            l.granted_at AS "grantedAt", l.expires_at AS "expiresAt"
     FROM credit_lots l LEFT JOIN credit_uses u ON u.lot_id = l.id WHERE l.account_id = $1
     GROUP BY l.id ORDER BY l.granted_at DESC, l.id LIMIT $2 OFFSET $3`,
    [accountId, page.limit, page.offset ?? 0],
  );
}

export async function countCreditLots(manager: EntityManager, accountId: number): Promise<number> {
  const [row] = await manager.query<{ count: number }[]>(
    'SELECT count(*) AS count FROM credit_lots WHERE account_id = $1',
    [accountId],
  );
  return row?.count ?? 0;
}

/**
 * Uses up to so much of an account's credit: what expires first goes first, what was given before what was paid. The
 * caller holds the account's books for `money` and posts the amount.
 * @returns what was used, in minor units
 */
export async function useCredit(
  manager: EntityManager,
  use: {
    readonly accountId: number;
    readonly upToMinor: number;
    readonly cause: Cause;
    readonly at: Date;
    readonly only?: readonly CreditSource[];
  },
): Promise<number> {
  const used = await manager.query<{ amount: number }[]>(
    `WITH open AS (
       SELECT l.id, l.amount_minor - coalesce(sum(u.amount_minor), 0) AS remaining,
              row_number() OVER (ORDER BY l.expires_at NULLS LAST, l.source = 'payment', l.granted_at, l.id) AS turn
       FROM credit_lots l LEFT JOIN credit_uses u ON u.lot_id = l.id
       WHERE l.account_id = $1 AND (l.expires_at IS NULL OR l.expires_at > $2) AND ($6::text[] IS NULL OR l.source = ANY($6))
       GROUP BY l.id
     ), shares AS (
       SELECT id, least(remaining, $3::bigint - coalesce(sum(remaining) OVER (
                ORDER BY turn ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0)) AS share FROM open
     )
     INSERT INTO credit_uses (lot_id, cause_kind, cause_id, amount_minor, used_at)
     SELECT id, $4, $5, share, $2 FROM shares WHERE share > 0 RETURNING amount_minor AS amount`,
    [use.accountId, use.at, use.upToMinor, use.cause.kind, use.cause.id, use.only ?? null],
  );
  return used.reduce((sum, { amount }) => sum + amount, 0);
}

/** Writes a lot of credit whose posting is the caller's. */
export async function addLot(
  manager: EntityManager,
  lot: NewCredit & { readonly source: CreditSource; readonly expiresAt?: Date },
): Promise<void> {
  await manager.query(
    `INSERT INTO credit_lots (id, account_id, currency, amount_minor, source, note, granted_at, expires_at,
                              cause_kind, cause_id)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
    [
      newId(),
      lot.accountId,
      lot.currency,
      lot.amountMinor,
      lot.source,
      lot.note ?? '',
      lot.at,
      lot.expiresAt ?? null,
      lot.cause.kind,
      lot.cause.id,
    ],
  );
}
