import type { DataSource } from 'typeorm';

const LEAST_MINOR = 50;

/**
 * Whatever is open is asked for, by one invoice of the provider, over the sum that is open; but not what a bank has taken
 * back, and not what is too little to be charged. @returns what differs
 */
export async function judgeCollecting({ manager }: DataSource): Promise<string[]> {
  const rows = await manager.query<
    { id: number; accountId: number; open: number; asked: number; parts: number; together: number }[]
  >(
    `SELECT i.id, i.account_id AS "accountId", b.open_minor AS open, coalesce(sum(p.amount_minor), 0)::bigint AS asked,
            count(p.*)::int AS parts, sum(b.open_minor) OVER (PARTITION BY i.account_id)::bigint AS together
     FROM invoices i JOIN invoice_balances b ON b.id = i.id
     LEFT JOIN (collection_parts p JOIN collections c ON c.id = p.collection_id
                AND c.status IN ('requested', 'draft', 'open') AND c.withdrawn_at IS NULL) ON p.invoice_id = i.id
     WHERE NOT EXISTS (SELECT 1 FROM invoice_settlements s WHERE s.invoice_id = i.id AND s.kind = 'dispute')
     GROUP BY i.id, b.open_minor`,
  );
  return rows.flatMap(({ id, accountId, open, asked, parts, together }) => {
    const who = `customer ${accountId}: invoice ${id}`;
    if (parts > 1) return [`${who} is asked for ${parts} times`];
    if (asked === open || (asked === 0 && (open < LEAST_MINOR || together < LEAST_MINOR))) return [];
    return [`${who} is open with ${open} and asked for with ${asked}`];
  });
}
