import { createHash } from 'node:crypto';
import type { EntityManager } from 'typeorm';
import { lockInvoice } from './invoices.ts';

/** Providers refuse to charge less. In minor units. */
export const LEAST_CHARGE_MINOR = 50;

/** `requested`: ours alone as yet. `paid` and `void` are final; what is `uncollectible` may still be paid. */
export type CollectionStatus = 'requested' | 'draft' | 'open' | 'paid' | 'uncollectible' | 'void';

/** What of one of our invoices a collection asks for. */
export interface CollectionPart {
  readonly invoiceId: number;
  readonly amountMinor: number;
  /** By which the call that adds its line is known. */
  readonly callId: number;
}

/**
 * An invoice at the provider. Ours is the tax document, with its lines, its tax and what credit has paid of it; this
 * one asks for what is open, one line for each of our invoices.
 */
export interface Collection {
  readonly id: number;
  readonly accountId: number;
  /** The invoice that it was made for. Others that were too small to be charged may go with it. */
  readonly invoiceId: number;
  readonly round: number;
  readonly currency: string;
  readonly amountMinor: number;
  /** Null: charged to the card. */
  readonly termsDays: number | null;
  readonly customerId: string | null;
  readonly providerId: string | null;
  readonly paymentId: string | null;
  readonly status: CollectionStatus;
  /** Why the last attempt failed. */
  readonly declineCode: string | null;
  readonly isDeclineFinal: boolean | null;
  /** Where the customer confirms the payment, the provider's page of it, and its paper. */
  readonly actionUrl: string | null;
  readonly pageUrl: string | null;
  readonly pdfUrl: string | null;
  readonly nextAttemptAt: Date | null;
  readonly dueAt: Date | null;
  readonly withdrawnAt: Date | null;
  /** The oldest invoice first. */
  readonly parts: readonly CollectionPart[];
}

const COLLECTION = `
  SELECT c.id, c.account_id AS "accountId", c.invoice_id AS "invoiceId", c.round, c.currency,
         c.amount_minor AS "amountMinor", c.terms_days AS "termsDays", c.customer_id AS "customerId",
         c.provider_id AS "providerId", c.payment_id AS "paymentId", c.status, c.decline_code AS "declineCode",
         c.is_decline_final AS "isDeclineFinal", c.action_url AS "actionUrl", c.page_url AS "pageUrl",
         c.pdf_url AS "pdfUrl", c.next_attempt_at AS "nextAttemptAt", c.due_at AS "dueAt",
         c.withdrawn_at AS "withdrawnAt",
         (SELECT jsonb_agg(jsonb_build_object('invoiceId', p.invoice_id, 'amountMinor', p.amount_minor,
                                              'callId', p.call_id) ORDER BY i.issued_at, i.number)
          FROM collection_parts p JOIN invoices i ON i.id = p.invoice_id WHERE p.collection_id = c.id) AS parts
  FROM collections c`;

export async function collection(manager: EntityManager, id: number): Promise<Collection> {
  const [row] = await manager.query<Collection[]>(`${COLLECTION} WHERE c.id = $1`, [id]);
  if (!row) throw new Error(`there is no collection ${id}`);
  return row;
}

/** By the provider's id of it, or by its own where the answer that told the provider's was lost. */
export async function findCollection(
  manager: EntityManager,
  of: { readonly providerId: string; readonly id?: number | undefined },
): Promise<Collection | undefined> {
  const [row] = await manager.query<Collection[]>(
    `${COLLECTION} WHERE c.provider_id = $1 OR (c.id = $2 AND c.provider_id IS NULL)`,
    [of.providerId, of.id ?? null],
  );
  return row;
}

/** All that ever asked for an invoice, the newest first: its head tells how the invoice stands at the provider. */
export function collectionsOf(manager: EntityManager, invoiceId: number): Promise<Collection[]> {
  return manager.query<Collection[]>(
    `${COLLECTION} WHERE c.id IN (SELECT collection_id FROM collection_parts WHERE invoice_id = $1)
     ORDER BY c.requested_at DESC, c.round DESC`,
    [invoiceId],
  );
}

/**
 * Marks what asks for an invoice, and does so wrongly by now: another sum is open, or the customer at the provider is
 * another one. The caller holds the account's books for `money`, and voids what is answered before it asks anew.
 */
export async function withdrawStale(
  manager: EntityManager,
  { invoiceId, customerId, at }: { invoiceId: number; customerId: string | undefined; at: Date },
): Promise<Collection[]> {
  const marked = await manager.query<[{ id: number }[], number]>(
    `UPDATE collections c SET withdrawn_at = coalesce(withdrawn_at, $3)
     WHERE c.id IN (SELECT collection_id FROM collection_parts WHERE invoice_id = $1)
       AND c.status IN ('requested', 'draft', 'open', 'uncollectible')
       AND (c.withdrawn_at IS NOT NULL OR (c.customer_id IS NOT NULL AND c.customer_id IS DISTINCT FROM $2)
            OR EXISTS (SELECT 1 FROM collection_parts p JOIN invoice_balances b ON b.id = p.invoice_id
                       WHERE p.collection_id = c.id
                         AND (b.open_minor > 0 OR c.status <> 'uncollectible') AND b.open_minor <> p.amount_minor))
     RETURNING c.id`,
    [invoiceId, customerId ?? null, at],
  );
  return Promise.all(marked[0].map(({ id }) => collection(manager, id)));
}

/**
 * Asks for what is open of an invoice, and with it for those of the account that were too small to be charged alone.
 * @returns the collection, also one that asks for it already; undefined when nothing is open, or less than
 * `leastMinor` in all, which then waits for the account's next invoice
 */
export async function openCollection(
  manager: EntityManager,
  { invoiceId, leastMinor, at }: { invoiceId: number; leastMinor: number; at: Date },
): Promise<Collection | undefined> {
  const { invoice, books } = await lockInvoice(manager, invoiceId);
  const [known] = (await collectionsOf(manager, invoiceId)).filter(isLiving);
  if (known) return known;
  if (invoice.openMinor === 0) return undefined;
  const parts: Part[] = [invoice, ...(await tooSmall(manager, invoice, leastMinor))];
  const amountMinor = parts.reduce((sum, { openMinor }) => sum + openMinor, 0);
  if (amountMinor < leastMinor) return undefined;
  const round = (await roundsOf(manager, invoiceId)) + 1;
  const name = [books.accountId, invoice.periodFrom.toISOString(), round];
  const id = idFrom('collection', ...name);
  await manager.query(
    `INSERT INTO collections (id, account_id, invoice_id, round, currency, amount_minor, terms_days, requested_at)
     SELECT $1, account_id, $2, $3, currency, $4, terms_days, $5 FROM billing_accounts WHERE account_id = $6`,
    [id, invoiceId, round, amountMinor, at, books.accountId],
  );
  for (const part of parts) {
    await manager.query('INSERT INTO collection_parts VALUES ($1, $2, $3, $4)', [
      id,
      part.id,
      part.openMinor,
      idFrom('line', ...name, part.periodFrom.toISOString()),
    ]);
  }
  return collection(manager, id);
}

/** How a collection stands at the provider. */
export interface SeenCollection
  extends Pick<
    Collection,
    'id' | 'status' | 'paymentId' | 'actionUrl' | 'pageUrl' | 'pdfUrl' | 'nextAttemptAt' | 'dueAt'
  > {
  readonly providerId: string;
  readonly customerId: string;
  /** Undefined leaves what was known. */
  readonly decline: { readonly code: string; readonly isFinal: boolean } | undefined;
  readonly at: Date;
}

/** Keeps what was seen, for customers and operators to read. The money is told apart. */
export async function noteCollection(manager: EntityManager, seen: SeenCollection): Promise<void> {
  await manager.query(
    `UPDATE collections SET provider_id = $2, customer_id = $3, status = $4, payment_id = $5, action_url = $6,
       page_url = $7, pdf_url = $8, next_attempt_at = $9, due_at = $10,
       decline_code = CASE WHEN $4 = 'paid' THEN NULL ELSE coalesce($11, decline_code) END,
       is_decline_final = CASE WHEN $4 = 'paid' THEN NULL ELSE coalesce($12, is_decline_final) END, seen_at = $13
     WHERE id = $1`,
    [
      seen.id,
      seen.providerId,
      seen.customerId,
      seen.status,
      seen.paymentId,
      seen.actionUrl,
      seen.pageUrl,
      seen.pdfUrl,
      seen.nextAttemptAt,
      seen.dueAt,
      seen.decline?.code ?? null,
      seen.decline?.isFinal ?? null,
      seen.at,
    ],
  );
}

/** A collection that came to nothing, and is not there at the provider any more. */
export async function dropCollection(manager: EntityManager, id: number, at: Date): Promise<void> {
  await manager.query(
    `UPDATE collections SET status = 'void', withdrawn_at = coalesce(withdrawn_at, $2) WHERE id = $1`,
    [id, at],
  );
}

function isLiving({ status, withdrawnAt }: Collection): boolean {
  return withdrawnAt === null && ['requested', 'draft', 'open'].includes(status);
}

interface Part {
  readonly id: number;
  readonly periodFrom: Date;
  readonly openMinor: number;
}

async function tooSmall(
  manager: EntityManager,
  invoice: { readonly id: number; readonly accountId: number },
  leastMinor: number,
): Promise<Part[]> {
  return manager.query<Part[]>(
    `SELECT i.id, i.period_from AS "periodFrom", o.open_minor AS "openMinor"
     FROM open_invoices o JOIN invoices i ON i.id = o.invoice_id
     WHERE o.account_id = $1 AND i.id <> $2 AND o.open_minor <= $3
       AND NOT EXISTS (SELECT 1 FROM collection_parts p JOIN collections c ON c.id = p.collection_id
                       WHERE p.invoice_id = i.id AND c.status IN ('requested', 'draft', 'open', 'uncollectible'))
       AND NOT EXISTS (SELECT 1 FROM invoice_settlements s WHERE s.invoice_id = i.id AND ${TAKEN_BACK})
     ORDER BY i.issued_at, i.number LIMIT 100`,
    [invoice.accountId, invoice.id, leastMinor - 1],
  );
}

/**
 * Of a settlement `s`: it opens the invoice again because its customer has money back that had paid it. A hold that is
 * given back is no such thing: its order came to nothing.
 */
const TAKEN_BACK = `(s.kind = 'dispute' OR (s.kind = 'credit' AND s.amount_minor < 0 AND EXISTS (
  SELECT 1 FROM ledger_transactions t
  WHERE t.cause_kind IN ('dispute_closed', 'payment_refund') AND t.cause_id = s.cause_id)))`;

/**
 * Whether what was paid of one of its invoices has gone back before, by a bank or with the credit that paid it: its
 * customer may pay it on the provider's page or with credit, and nobody charges their card for it by himself.
 */
export async function isTakenBack(
  manager: EntityManager,
  { parts }: Pick<Collection, 'parts'>,
): Promise<boolean> {
  const rows = await manager.query<unknown[]>(
    `SELECT 1 FROM invoice_settlements s WHERE s.invoice_id = ANY($1) AND ${TAKEN_BACK} LIMIT 1`,
    [parts.map(({ invoiceId }) => invoiceId)],
  );
  return rows.length > 0;
}

async function roundsOf(manager: EntityManager, invoiceId: number): Promise<number> {
  const [row] = await manager.query<{ rounds: number }[]>(
    'SELECT coalesce(max(round), 0) AS rounds FROM collections WHERE invoice_id = $1',
    [invoiceId],
  );
  return row?.rounds ?? 0;
}

/** An id that follows from what it is for: a database put back from a copy asks the provider under the same one. */
function idFrom(...name: readonly (string | number)[]): number {
  const digest = createHash('sha256').update(name.join(' ')).digest();
  return Number(digest.readBigUInt64BE() >> 12n) + 1_000_000_000_000;
}
