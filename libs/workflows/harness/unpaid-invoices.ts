import type { EntityManager } from 'typeorm';
import { noteUnpaid } from '#libs/billing';
import { newId } from '#libs/kernel';

/** An invoice of 10.00 that comes from nowhere and whose payment failed: as dunning sees it, and no more. */
export async function failPayment(
  manager: EntityManager,
  accountId: number,
  failed: { readonly at: Date; readonly isHard: boolean },
): Promise<void> {
  const invoiceId = newId();
  await manager.query(
    `INSERT INTO invoices (id, account_id, series, number, currency, reason, period_from, period_until, issued_at, due_at,
       net_minor, tax_minor, tax_treatment, tax_basis_points, customer, seller)
     SELECT $1, $2, 'TEST-', n.number, 'eur', 'manual', n.day, n.day + interval '1 day', $3, $3, 1000, 0, 'none', 0,
            '{}', '{}'
     FROM (SELECT count(*) + 1 AS number, timestamptz '2001-01-01' + make_interval(days => count(*)::int) AS day
           FROM invoices) AS n`,
    [invoiceId, accountId, failed.at],
  );
  await noteUnpaid(manager, { ...failed, accountId, invoiceId });
}

/** Whatever is open of an account's invoices is settled; it does not tell dunning. */
export async function settleInvoices(manager: EntityManager, accountId: number, at: Date): Promise<void> {
  await manager.query(
    `INSERT INTO invoice_settlements (invoice_id, kind, cause_id, amount_minor, settled_at)
     SELECT id, 'payment', $2, open_minor, $3 FROM invoice_balances WHERE account_id = $1 AND open_minor > 0`,
    [accountId, String(newId()), at],
  );
}
