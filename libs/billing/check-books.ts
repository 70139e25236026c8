import type { EntityManager } from 'typeorm';

/** Something in the books that does not add up. */
export interface BooksDifference {
  readonly rule: string;
  readonly subject: string;
  readonly differsBy: string;
  /** What helps to find out why. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/**
 * Each rule is a query of what breaks it. The database keeps most of them by itself; the daily check proves that it
 * did, over all rows and independently of the triggers.
 */
const RULES: Readonly<Record<string, string>> = {
  'every transaction sums to zero': `
    SELECT concat_ws(' ', t.cause_kind, t.cause_id, e.currency) AS subject,
           coalesce(sum(e.amount::numeric * a.micro_per_unit), 1) AS off
    FROM ledger_transactions t LEFT JOIN ledger_entries e ON e.transaction_id = t.id
    LEFT JOIN ledger_accounts a ON a.code = e.account
    GROUP BY t.id, e.currency HAVING coalesce(sum(e.amount::numeric * a.micro_per_unit), 1) <> 0`,
  'the ledger sums to zero': `
    SELECT e.currency AS subject, sum(e.amount::numeric * a.micro_per_unit) AS off
    FROM ledger_entries e JOIN ledger_accounts a ON a.code = e.account
    GROUP BY e.currency HAVING sum(e.amount::numeric * a.micro_per_unit) <> 0`,
  'credit in the ledger is what is left of the lots': `
    SELECT 'account ' || account_id AS subject, sum(amount) AS off FROM (
      SELECT customer_id AS account_id, amount FROM ledger_entries WHERE account = 'customer_credit'
      UNION ALL SELECT account_id, amount_minor FROM credit_lots
      UNION ALL SELECT l.account_id, -u.amount_minor FROM credit_uses u JOIN credit_lots l ON l.id = u.lot_id
    ) AS parts GROUP BY account_id HAVING sum(amount) <> 0`,
  'what customers owe is what is open of their invoices': `
    SELECT 'account ' || account_id AS subject, sum(amount) AS off FROM (
      SELECT customer_id AS account_id, amount FROM ledger_entries WHERE account = 'receivable' AND detail = ''
      UNION ALL SELECT account_id, -open_minor FROM invoice_balances
    ) AS parts GROUP BY account_id HAVING sum(amount) <> 0`,
  'what is marked as open is what is open': `
    SELECT 'invoice ' || coalesce(o.invoice_id, b.id) AS subject,
           coalesce(o.open_minor, 0) - coalesce(b.open_minor, 0) AS off
    FROM open_invoices o FULL JOIN (SELECT id, open_minor FROM invoice_balances WHERE open_minor > 0) AS b
      ON b.id = o.invoice_id
    WHERE o.open_minor IS DISTINCT FROM b.open_minor`,
  'an invoice is the sum of its lines, and each line has one': `
    SELECT 'invoice ' || coalesce(i.id, l.invoice_id) AS subject, coalesce(i.net_minor, 0) - coalesce(l.sum, 0) AS off
    FROM invoices i FULL JOIN (
      SELECT invoice_id, sum(amount_minor) AS sum FROM invoice_lines GROUP BY invoice_id
    ) AS l ON l.invoice_id = i.id
    WHERE i.net_minor IS DISTINCT FROM l.sum`,
  'revenue in the ledger is the exact worth of the invoices': `
    SELECT 'revenue_' || component AS subject, sum(amount) AS off FROM (
      SELECT substr(account, length('revenue_') + 1) AS component, amount::numeric
      FROM ledger_entries WHERE account LIKE 'revenue\\_%'
      UNION ALL SELECT component, amount_micro FROM invoice_lines
    ) AS parts GROUP BY component HAVING sum(amount) <> 0`,
  'the numbers of a series have no gaps': `
    SELECT series AS subject, max(number) - count(*) AS off FROM (
      SELECT series, number FROM invoices UNION ALL SELECT series, number FROM credit_notes
    ) AS documents GROUP BY series HAVING max(number) <> count(*)`,
  'every second until an account is billed is on one line': `
    SELECT 'span ' || id AS subject, had - extract(epoch FROM least(until, billed_until) - opened_at) AS off FROM (
      SELECT u.id, u.opened_at, b.billed_until, coalesce(l.had, 0) AS had,
             greatest(coalesce(u.closed_at, 'infinity'), least(u.opened_at + interval '60 seconds',
               lead(u.opened_at) OVER (PARTITION BY u.server_id, u.component, u.slot
                                       ORDER BY u.opened_at, coalesce(u.closed_at, 'infinity'), u.id))) AS until
      FROM usage_spans u JOIN billing_accounts b USING (account_id)
      LEFT JOIN (SELECT span_id, sum(seconds) AS had FROM invoice_lines GROUP BY span_id) AS l ON l.span_id = u.id
    ) AS spans
    WHERE opened_at < billed_until AND had <> extract(epoch FROM least(until, billed_until) - opened_at)`,
};

/**
 * The daily check: all that does not add up; nothing, as long as the books are sound. Read-only; run it in a
 * transaction with `REPEATABLE READ`, so that all rules look at the same moment.
 */
export async function checkBooks(manager: EntityManager): Promise<BooksDifference[]> {
  const differences: BooksDifference[] = [];
  for (const [rule, query] of Object.entries(RULES)) {
    const rows = await manager.query<{ subject: string; off: string | number }[]>(query);
    differences.push(...rows.map(({ subject, off }) => ({ rule, subject, differsBy: String(off) })));
  }
  return differences;
}
