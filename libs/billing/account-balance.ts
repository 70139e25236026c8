import type { EntityManager } from 'typeorm';
import { openAmountMinor } from './open-usage.ts';

/** How an account stands, in minor units. */
export interface AccountBalance {
  /** Undefined before anything was billed or paid. */
  readonly currency: string | undefined;
  /** Owed on invoices, and the part of it whose day has passed. */
  readonly openMinor: number;
  readonly overdueMinor: number;
  readonly creditMinor: number;
  /** Used and not invoiced, net. */
  readonly unbilledMinor: number;
  /** Held back by a bank in a dispute. */
  readonly disputedMinor: number;
  /** Promised and on its way to a card. */
  readonly refundsMinor: number;
}

type Row = Omit<AccountBalance, 'unbilledMinor'>;

/** What the ledger says of a customer at a moment, and what they have used since their last invoice. */
export async function accountBalance(
  manager: EntityManager,
  accountId: number,
  now: Date,
): Promise<AccountBalance> {
  const [row] = await manager.query<Row[]>(
    `SELECT (SELECT currency FROM billing_accounts WHERE account_id = $1) AS currency,
            coalesce(sum(amount) FILTER (WHERE account = 'receivable'), 0)::bigint AS "openMinor",
            coalesce(-sum(amount) FILTER (WHERE account = 'customer_credit'), 0)::bigint AS "creditMinor",
            coalesce(sum(amount) FILTER (WHERE account = 'disputed'), 0)::bigint AS "disputedMinor",
            coalesce(-sum(amount) FILTER (WHERE account = 'refunds_payable'), 0)::bigint AS "refundsMinor",
            (SELECT coalesce(sum(o.open_minor), 0)::bigint FROM open_invoices o JOIN invoices i ON i.id = o.invoice_id
             WHERE o.account_id = $1 AND i.due_at < $2) AS "overdueMinor"
     FROM ledger_entries WHERE customer_id = $1`,
    [accountId, now],
  );
  if (!row) throw new Error('an aggregate without GROUP BY has one row');
  const unbilledMinor = await openAmountMinor(manager, accountId, now);
  return { ...row, currency: row.currency ?? undefined, unbilledMinor };
}
