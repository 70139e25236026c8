import type { EntityManager } from 'typeorm';
import type { LedgerAccount } from './chart-of-accounts.ts';

/** What was earned in a month of use with an item: `s1: CPU and RAM`. */
export interface RevenueLine {
  readonly month: Date;
  readonly component: string;
  readonly title: string;
  readonly currency: string;
  readonly seconds: number;
  readonly netMinor: number;
  /** Before the lines were rounded: what the ledger has as revenue. */
  readonly netMicro: string;
}

/** What is owed, by how long it has been due. */
export interface ReceivableAge {
  readonly currency: string;
  readonly age: 'not_due' | 'up_to_30_days' | 'up_to_60_days' | 'up_to_90_days' | 'older';
  readonly invoices: number;
  readonly openMinor: number;
}

/** An entry of the ledger with why it was posted. `amount` is in the unit of its account: debit above zero. */
export interface PostedEntry {
  readonly transactionId: number;
  readonly line: number;
  readonly causeKind: string;
  readonly causeId: string;
  readonly postedAt: Date;
  readonly account: LedgerAccount;
  readonly customerId: number | null;
  readonly detail: string;
  readonly currency: string;
  readonly amount: string;
}

/** Invoiced revenue by the month of use and by product, the newest month first. */
export function revenueByMonth(
  manager: EntityManager,
  period: { readonly from: Date; readonly until: Date },
): Promise<RevenueLine[]> {
  return manager.query<RevenueLine[]>(
    `SELECT date_trunc('month', i.period_from, 'UTC') AS month, l.component, l.title, i.currency,
            sum(l.seconds)::bigint AS seconds, sum(l.amount_minor)::bigint AS "netMinor",
            sum(l.amount_micro)::text AS "netMicro"
     FROM invoices i JOIN invoice_lines l ON l.invoice_id = i.id
     WHERE i.period_from >= $1 AND i.period_from < $2
     GROUP BY 1, 2, 3, 4 ORDER BY 1 DESC, "netMinor" DESC`,
    [period.from, period.until],
  );
}

/** What the books posted as a cost in a UTC month, in minor units; below zero where more came back than was spent. */
export interface CostLine {
  readonly month: Date;
  readonly account: LedgerAccount;
  readonly currency: string;
  readonly amountMinor: number;
}

/** Fees, promotions, refunds, write-offs and what else an account of expenses has, the newest month first. */
export function costsByMonth(
  manager: EntityManager,
  period: { readonly from: Date; readonly until: Date },
): Promise<CostLine[]> {
  return manager.query<CostLine[]>(
    `SELECT date_trunc('month', e.posted_at, 'UTC') AS month, e.account, e.currency,
            sum(e.amount)::bigint AS "amountMinor"
     FROM ledger_entries e JOIN ledger_accounts a ON a.code = e.account AND a.side = 'expense'
     WHERE e.posted_at >= $1 AND e.posted_at < $2
     GROUP BY 1, 2, 3 HAVING sum(e.amount) <> 0 ORDER BY 1 DESC, e.account, e.currency`,
    [period.from, period.until],
  );
}

/** Open invoices by age at a moment. */
export function receivablesByAge(manager: EntityManager, now: Date): Promise<ReceivableAge[]> {
  return manager.query<ReceivableAge[]>(
    `SELECT currency, age, count(*) AS invoices, sum(open_minor)::bigint AS "openMinor" FROM (
       SELECT currency, open_minor, CASE
         WHEN due_at >= $1 THEN 'not_due'
         WHEN due_at >= $1::timestamptz - interval '30 days' THEN 'up_to_30_days'
         WHEN due_at >= $1::timestamptz - interval '60 days' THEN 'up_to_60_days'
         WHEN due_at >= $1::timestamptz - interval '90 days' THEN 'up_to_90_days'
         ELSE 'older' END AS age
       FROM open_invoices o JOIN invoices i ON i.id = o.invoice_id
     ) AS open GROUP BY currency, age ORDER BY currency, min(array_position(
       ARRAY['not_due', 'up_to_30_days', 'up_to_60_days', 'up_to_90_days', 'older'], age))`,
    [now],
  );
}

/** What entries are asked for: of an account, a customer, a cause or a time. */
export interface EntryFilter {
  readonly account?: LedgerAccount;
  readonly customerId?: number;
  /** An id also finds the parts of it: `HELLO` is `HELLO/7` too. */
  readonly cause?: { readonly kind: string; readonly id?: string };
  /** Posted from then on. */
  readonly from?: Date;
  readonly until?: Date;
  /** Of invoices whose use lies in the UTC month that begins then: what a month has earned, whenever it was invoiced. */
  readonly usedInMonth?: Date;
}

/** What the entries of an account sum to, in its unit: debits above zero. */
export interface EntrySum {
  readonly account: LedgerAccount;
  readonly currency: string;
  readonly entries: number;
  readonly amount: string;
}

const ENTRIES = `
  FROM ledger_entries e JOIN ledger_transactions t ON t.id = e.transaction_id
  WHERE ($1::text IS NULL OR e.account = $1) AND ($2::bigint IS NULL OR e.customer_id = $2)
    AND ($3::text IS NULL OR t.cause_kind = $3) AND ($4::text IS NULL OR t.cause_id = $4 OR split_part(t.cause_id, '/', 1) = $4)
    AND ($5::timestamptz IS NULL OR e.posted_at >= $5) AND ($6::timestamptz IS NULL OR e.posted_at < $6)
    AND ($7::timestamptz IS NULL OR (t.cause_kind = 'invoice' AND t.cause_id IN (
      SELECT i.id::text FROM invoices i
      WHERE i.period_from >= $7 AND i.period_from < ($7 AT TIME ZONE 'UTC' + interval '1 month') AT TIME ZONE 'UTC')))`;

function valuesOf(filter: EntryFilter): unknown[] {
  const { account, customerId, cause, from, until, usedInMonth } = filter;
  return [account, customerId, cause?.kind, cause?.id, from, until, usedInMonth].map(
    (value) => value ?? null,
  );
}

/** Entries of the ledger, the newest first. */
export function ledgerEntries(
  manager: EntityManager,
  filter: EntryFilter & { readonly limit: number; readonly offset?: number },
): Promise<PostedEntry[]> {
  return manager.query<PostedEntry[]>(
    `SELECT t.id AS "transactionId", e.line, t.cause_kind AS "causeKind", t.cause_id AS "causeId",
            e.posted_at AS "postedAt", e.account, e.customer_id AS "customerId", e.detail, e.currency,
            e.amount::text AS amount ${ENTRIES}
     ORDER BY e.posted_at DESC, t.id, e.line LIMIT $8 OFFSET $9`,
    [...valuesOf(filter), filter.limit, filter.offset ?? 0],
  );
}

/** What those entries sum to, by account: a figure of a report, or where it comes from. */
export function ledgerSums(manager: EntityManager, filter: EntryFilter): Promise<EntrySum[]> {
  return manager.query<EntrySum[]>(
    `SELECT e.account, e.currency, count(*) AS entries, sum(e.amount)::text AS amount ${ENTRIES}
     GROUP BY e.account, e.currency
     ORDER BY (SELECT array_position(ARRAY['asset', 'liability', 'income', 'expense'], a.side)
               FROM ledger_accounts a WHERE a.code = e.account), e.account, e.currency`,
    valuesOf(filter),
  );
}
