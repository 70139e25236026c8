import type { EntityManager } from 'typeorm';
import { newId } from '#libs/kernel';
import { BillingError } from './billing.errors.ts';
import type { LedgerAccount } from './chart-of-accounts.ts';

/** Why money moved. A cause posts once, however often it is told. */
export interface Cause {
  readonly kind: string;
  readonly id: string;
}

/** One side of a transaction. `amount` is in the unit of its account: debit above zero, credit below. */
export interface LedgerEntry {
  readonly account: LedgerAccount;
  readonly amount: bigint;
  /** Of the accounts that are kept by customer. */
  readonly customerId?: number;
  /** Divides an account: the country of a tax. */
  readonly detail?: string;
}

export interface LedgerTransaction {
  readonly cause: Cause;
  /** The moment of business, not that of writing. */
  readonly at: Date;
  readonly currency: string;
  /** Those of amount 0 are left out. */
  readonly entries: readonly LedgerEntry[];
}

type More = Pick<LedgerEntry, 'customerId' | 'detail'>;

/** What comes into an asset or an expense, or goes out of a liability or an income. */
export function debit(account: LedgerAccount, amount: bigint | number, more: More = {}): LedgerEntry {
  return { account, amount: BigInt(amount), ...more };
}

/** What goes out of an asset or an expense, or comes into a liability or an income. */
export function credit(account: LedgerAccount, amount: bigint | number, more: More = {}): LedgerEntry {
  return { account, amount: -BigInt(amount), ...more };
}

/**
 * Posts a transaction within the caller's database transaction, whose commit fails unless the entries sum to zero.
 * @returns false when its cause has been posted already, with these same entries, or when nothing moves
 * @throws BillingError `cause_posted_differently` when the cause has been posted with other entries
 */
export async function post(manager: EntityManager, transaction: LedgerTransaction): Promise<boolean> {
  const { cause, at, currency } = transaction;
  const entries = transaction.entries.filter(({ amount }) => amount !== 0n);
  if (entries.length === 0) return false;
  const written = await manager.query<unknown[]>(
    `WITH written AS (
       INSERT INTO ledger_transactions (id, cause_kind, cause_id, posted_at) VALUES ($1, $2, $3, $4)
       ON CONFLICT ON CONSTRAINT ledger_one_per_cause DO NOTHING RETURNING id, posted_at
     )
     INSERT INTO ledger_entries (transaction_id, line, currency, posted_at, account, customer_id, detail, amount)
     SELECT written.id, line, $5, posted_at, account, customer_id, detail, amount
     FROM written, unnest($6::text[], $7::bigint[], $8::text[], $9::bigint[])
       WITH ORDINALITY AS e (account, customer_id, detail, amount, line)
     RETURNING line`,
    [
      newId(),
      cause.kind,
      cause.id,
      at,
      currency,
      entries.map(({ account }) => account),
      entries.map(({ customerId }) => customerId ?? null),
      entries.map(({ detail }) => detail ?? ''),
      entries.map(({ amount }) => String(amount)),
    ],
  );
  if (written.length === 0) await assertSame(manager, cause, currency, entries);
  return written.length > 0;
}

/** Whether a cause has been posted. */
export async function isPosted(manager: EntityManager, cause: Cause): Promise<boolean> {
  const rows = await manager.query<unknown[]>(
    'SELECT 1 FROM ledger_transactions WHERE cause_kind = $1 AND cause_id = $2',
    [cause.kind, cause.id],
  );
  return rows.length > 0;
}

/**
 * What stands on an account, in its unit: debits less credits. Of one customer, or of all; now, or before a moment
 * of the past.
 */
export async function ledgerBalance(
  manager: EntityManager,
  account: LedgerAccount,
  currency: string,
  of: { readonly customerId?: number; readonly detail?: string; readonly before?: Date } = {},
): Promise<bigint> {
  const [row] = await manager.query<{ balance: string }[]>(
    `SELECT coalesce(sum(amount), 0)::text AS balance FROM ledger_entries
     WHERE account = $1 AND currency = $2 AND ($3::bigint IS NULL OR customer_id = $3)
       AND ($4::text IS NULL OR detail = $4) AND ($5::timestamptz IS NULL OR posted_at < $5)`,
    [account, currency, of.customerId ?? null, of.detail ?? null, of.before ?? null],
  );
  return BigInt(row?.balance ?? 0);
}

async function assertSame(
  manager: EntityManager,
  cause: Cause,
  currency: string,
  entries: readonly LedgerEntry[],
): Promise<void> {
  const posted = await manager.query<{ entry: string }[]>(
    `SELECT concat_ws('|', e.account, coalesce(e.customer_id::text, ''), e.detail, e.currency, e.amount) AS entry
     FROM ledger_entries e JOIN ledger_transactions t ON t.id = e.transaction_id
     WHERE t.cause_kind = $1 AND t.cause_id = $2`,
    [cause.kind, cause.id],
  );
  const told = entries.map(({ account, customerId, detail, amount }) =>
    [account, customerId ?? '', detail ?? '', currency, amount].join('|'),
  );
  if (
    told.sort().join() ===
    posted
      .map(({ entry }) => entry)
      .sort()
      .join()
  )
    return;
  throw new BillingError(
    'cause_posted_differently',
    `${cause.kind} ${cause.id} stands in the ledger with other entries; correct it by a transaction of its own`,
  );
}

/** @throws BillingError `amount_malformed` unless it is a whole number of minor units above zero */
export function assertAmount(amountMinor: number): void {
  if (Number.isSafeInteger(amountMinor) && amountMinor > 0) return;
  throw new BillingError(
    'amount_malformed',
    `an amount is a whole number of minor units above zero, not ${amountMinor}`,
    { fields: [{ name: 'amount_minor', messages: ['must be a whole number above zero'] }] },
  );
}
