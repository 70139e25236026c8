import type { EntityManager } from 'typeorm';
import type { TrustTier } from './billing-accounts.ts';

/** An account as the operator's list has it. Amounts in minor units, as the ledger says. */
export interface AccountOverview {
  readonly accountId: number;
  readonly email: string;
  readonly name: string;
  readonly currency: string;
  readonly tier: TrustTier;
  readonly billedUntil: Date;
  /** What they owe on invoices. */
  readonly receivableMinor: number;
  /** What they have with us. */
  readonly creditMinor: number;
  readonly disputedMinor: number;
  readonly refundsPayableMinor: number;
  /** Open invoices whose day has passed. */
  readonly overdueMinor: number;
  readonly overdueSince: Date | null;
}

export interface AccountFilter {
  readonly accountId?: number;
  /** A part of the e-mail address or of the name. */
  readonly search?: string;
  readonly overdue?: boolean;
  readonly now: Date;
  readonly limit: number;
  readonly offset: number;
}

const FOUND = `
  SELECT b.account_id AS "accountId", a.email, a.name, b.currency, b.tier, b.billed_until AS "billedUntil",
         coalesce(l.receivable, 0)::bigint AS "receivableMinor", coalesce(-l.customer_credit, 0)::bigint AS "creditMinor",
         coalesce(l.disputed, 0)::bigint AS "disputedMinor",
         coalesce(-l.refunds_payable, 0)::bigint AS "refundsPayableMinor",
         coalesce(o.overdue, 0)::bigint AS "overdueMinor", o.since AS "overdueSince"
  FROM billing_accounts b JOIN accounts a ON a.id = b.account_id
  LEFT JOIN LATERAL (
    SELECT sum(amount) FILTER (WHERE account = 'receivable') AS receivable,
           sum(amount) FILTER (WHERE account = 'customer_credit') AS customer_credit,
           sum(amount) FILTER (WHERE account = 'disputed') AS disputed,
           sum(amount) FILTER (WHERE account = 'refunds_payable') AS refunds_payable
    FROM ledger_entries WHERE customer_id = b.account_id
  ) AS l ON true
  LEFT JOIN LATERAL (
    SELECT sum(u.open_minor) AS overdue, min(i.due_at) AS since
    FROM open_invoices u JOIN invoices i ON i.id = u.invoice_id WHERE u.account_id = b.account_id AND i.due_at < $3
  ) AS o ON true
  WHERE ($1::bigint IS NULL OR b.account_id = $1)
    AND ($2::text IS NULL OR strpos(lower(a.email || ' ' || a.name), lower($2)) > 0)
    AND ($4::boolean IS NULL OR $4 = (coalesce(o.overdue, 0) > 0))`;

/** Accounts that have books: who owes most comes first. */
export async function accountOverviews(
  manager: EntityManager,
  filter: AccountFilter,
): Promise<{ items: AccountOverview[]; total: number }> {
  const { accountId, search, overdue, now, limit, offset } = filter;
  const values = [accountId ?? null, search ?? null, now, overdue ?? null];
  const items = await manager.query<AccountOverview[]>(
    `${FOUND} ORDER BY "receivableMinor" DESC, "creditMinor" DESC, a.email LIMIT $5 OFFSET $6`,
    [...values, limit, offset],
  );
  const [counted] = await manager.query<{ total: number }[]>(
    `SELECT count(*) AS total FROM (${FOUND}) AS found`,
    values,
  );
  return { items, total: counted?.total ?? 0 };
}
