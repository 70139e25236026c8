import type { EntityManager } from 'typeorm';
import { BillingError } from './billing.errors.ts';
import { type BillingAccount, lockBooks } from './billing-accounts.ts';
import type { Seller } from './settings.ts';
import type { BillingProfile, TaxTreatment } from './tax.ts';

/** Why it was issued: a month is over, or open usage has passed its threshold. */
export type InvoiceReason = 'month' | 'threshold' | 'manual';

/** An invoice as it was issued, and what is still open of it. Amounts in minor units. */
export interface Invoice {
  readonly id: number;
  readonly accountId: number;
  readonly series: string;
  readonly number: number;
  readonly currency: string;
  readonly reason: InvoiceReason;
  readonly periodFrom: Date;
  readonly periodUntil: Date;
  readonly issuedAt: Date;
  readonly dueAt: Date;
  readonly netMinor: number;
  readonly taxMinor: number;
  readonly totalMinor: number;
  readonly taxTreatment: TaxTreatment;
  readonly taxCountry: string | null;
  readonly taxBasisPoints: number;
  /** As they stood when it was issued. */
  readonly customer: Partial<BillingProfile>;
  readonly seller: Seller;
  /** What is still to be paid: 0 when it is settled. */
  readonly openMinor: number;
}

/** A line as a person reads it: the server, what of it, from and until when, for how many hours, at which price. */
export interface InvoiceLine {
  readonly line: number;
  readonly serverId: number | null;
  readonly serverName: string;
  readonly component: string;
  readonly title: string;
  readonly slot: string;
  readonly usedFrom: Date;
  readonly usedUntil: Date;
  readonly seconds: number;
  /** Fewer than were used above the month's cap; below zero where dearer time has pushed billed time above it. */
  readonly billedSeconds: number;
  readonly quantity: number;
  readonly hourlyMicro: number;
  readonly amountMicro: number;
  readonly amountMinor: number;
}

const INVOICE = `
  SELECT i.id, i.account_id AS "accountId", i.series, i.number, i.currency, i.reason, i.period_from AS "periodFrom",
         i.period_until AS "periodUntil", i.issued_at AS "issuedAt", i.due_at AS "dueAt", i.net_minor AS "netMinor",
         i.tax_minor AS "taxMinor", i.total_minor AS "totalMinor", i.tax_treatment AS "taxTreatment",
         i.tax_country AS "taxCountry", i.tax_basis_points AS "taxBasisPoints", i.customer, i.seller,
         coalesce(o.open_minor, 0)::bigint AS "openMinor"
  FROM invoices i LEFT JOIN open_invoices o ON o.invoice_id = i.id`;

/** @throws BillingError `invoice_not_found`, also when it is another account's than `accountId` */
export async function invoice(
  manager: EntityManager,
  invoiceId: number,
  accountId?: number,
): Promise<Invoice> {
  const [row] = await manager.query<Invoice[]>(
    `${INVOICE} WHERE i.id = $1 AND ($2::bigint IS NULL OR i.account_id = $2)`,
    [invoiceId, accountId ?? null],
  );
  if (!row) throw new BillingError('invoice_not_found', `there is no invoice ${invoiceId}`);
  return row;
}

/** What invoices are asked for: of one account or of all, settled or not, due before a moment. */
export interface InvoiceFilter {
  readonly accountId?: number;
  readonly open?: boolean;
  readonly dueFrom?: Date;
  readonly dueBefore?: Date;
}

const FOUND = `
  WHERE ($1::bigint IS NULL OR i.account_id = $1)
    AND ($2::timestamptz IS NULL OR i.due_at >= $2) AND ($3::timestamptz IS NULL OR i.due_at < $3)`;

/** Open ones are few and looked up from there; the others are most of all. */
function foundBy({ open }: InvoiceFilter): string {
  if (open === undefined) return FOUND;
  return `${FOUND} AND ${open ? 'EXISTS' : 'NOT EXISTS'} (SELECT 1 FROM open_invoices u WHERE u.invoice_id = i.id)`;
}

function valuesOf({ accountId, dueFrom, dueBefore }: InvoiceFilter): unknown[] {
  return [accountId, dueFrom, dueBefore].map((value) => value ?? null);
}

/** The newest first. */
export async function invoices(
  manager: EntityManager,
  filter: InvoiceFilter & { readonly limit: number; readonly offset?: number },
): Promise<Invoice[]> {
  return manager.query<Invoice[]>(
    `${INVOICE} ${foundBy(filter)} ORDER BY i.issued_at DESC, i.number DESC LIMIT $4 OFFSET $5`,
    [...valuesOf(filter), filter.limit, filter.offset ?? 0],
  );
}

export async function countInvoices(manager: EntityManager, filter: InvoiceFilter): Promise<number> {
  const [row] = await manager.query<{ count: number }[]>(
    `SELECT count(*) AS count FROM invoices i ${foundBy(filter)}`,
    valuesOf(filter),
  );
  return row?.count ?? 0;
}

/** Lines in order, those after `afterLine`: an invoice may have many. */
export async function invoiceLines(
  manager: EntityManager,
  invoiceId: number,
  page: { readonly afterLine?: number; readonly limit: number },
): Promise<InvoiceLine[]> {
  return manager.query<InvoiceLine[]>(
    `SELECT line, server_id AS "serverId", server_name AS "serverName", component, title, slot,
            used_from AS "usedFrom", used_until AS "usedUntil", seconds, billed_seconds AS "billedSeconds", quantity,
            hourly_micro AS "hourlyMicro", amount_micro AS "amountMicro", amount_minor AS "amountMinor"
     FROM invoice_lines WHERE invoice_id = $1 AND line > $2 ORDER BY line LIMIT $3`,
    [invoiceId, page.afterLine ?? 0, page.limit],
  );
}

/** Lines are numbered from 1 without gaps. */
export async function countInvoiceLines(manager: EntityManager, invoiceId: number): Promise<number> {
  const [row] = await manager.query<{ count: number }[]>(
    'SELECT coalesce(max(line), 0) AS count FROM invoice_lines WHERE invoice_id = $1',
    [invoiceId],
  );
  return row?.count ?? 0;
}

/** An invoice whose account's books are locked for `money`, so that what is open of it stands still. */
export async function lockInvoice(
  manager: EntityManager,
  invoiceId: number,
): Promise<{ invoice: Invoice; books: BillingAccount }> {
  const { accountId } = await invoice(manager, invoiceId);
  const books = await lockBooks(manager, accountId, 'money');
  return { books, invoice: await invoice(manager, invoiceId) };
}
