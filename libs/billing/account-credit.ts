import type { EntityManager } from 'typeorm';
import { newId } from '#libs/kernel';

/** Money that an account has with us, and why. A cause is credited once, however often it is told. */
export interface CreditEntry {
  readonly accountId: number;
  readonly amountMinor: number;
  readonly currency: string;
  readonly cause: 'hold_captured' | 'hold_refunded';
  readonly causeId: string;
}

/** Adds to an account's credit within the caller's transaction. */
export async function creditAccount(manager: EntityManager, entry: CreditEntry): Promise<void> {
  await manager.query(
    `INSERT INTO credit_entries (id, account_id, amount_minor, currency, cause, cause_id)
     VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (cause, cause_id) DO NOTHING`,
    [newId(), entry.accountId, entry.amountMinor, entry.currency, entry.cause, entry.causeId],
  );
}

/** Credit of an account in minor units of `currency`. */
export async function creditBalanceMinor(
  manager: EntityManager,
  accountId: number,
  currency: string,
): Promise<number> {
  const [row] = await manager.query<{ balance: number }[]>(
    `SELECT coalesce(sum(amount_minor), 0)::bigint AS balance FROM credit_entries
     WHERE account_id = $1 AND currency = $2`,
    [accountId, currency],
  );
  return row?.balance ?? 0;
}
