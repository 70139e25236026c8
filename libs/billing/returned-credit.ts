import type { EntityManager } from 'typeorm';
import { addLot, type CreditSource, type NewCredit } from './credit.ts';

/** Credit that comes back after its day lasts for so long. */
const LASTS_DAYS = 30;
const DAY_MILLISECONDS = 86_400_000;

interface Given {
  readonly lotId: number;
  readonly source: Extract<CreditSource, 'grant' | 'promotion'>;
  readonly expiresAt: Date | null;
  /** What the invoice took of it and has not been given back, in minor units. */
  readonly leftMinor: number;
}

/**
 * Writes the lots of what a credit note gives back as credit; the posting is the caller's. What was given away comes
 * back first, as what it was, and ends on its day: a gift does not become money by a refund. The rest is money.
 */
export async function returnAsCredit(
  manager: EntityManager,
  returned: NewCredit & { readonly invoiceId: number },
): Promise<void> {
  const { cause, at } = returned;
  let left = returned.amountMinor;
  for (const { lotId, source, expiresAt, leftMinor } of await givenOf(manager, returned.invoiceId)) {
    const amountMinor = Math.min(left, leftMinor);
    if (amountMinor === 0) break;
    left -= amountMinor;
    const ends = expiresAt && { expiresAt: lastsUntil(expiresAt, at) };
    const part = { ...cause, id: `${cause.id}/${lotId}` };
    await addLot(manager, { ...returned, amountMinor, cause: part, source, ...ends });
  }
  if (left > 0) await addLot(manager, { ...returned, amountMinor: left, source: 'refund' });
}

function lastsUntil(expiresAt: Date, at: Date): Date {
  return expiresAt > at ? expiresAt : new Date(at.getTime() + LASTS_DAYS * DAY_MILLISECONDS);
}

/** What an invoice was paid with that had been given away, what lasts longest first. */
function givenOf(manager: EntityManager, invoiceId: number): Promise<Given[]> {
  return manager.query<Given[]>(
    `WITH used AS (
       SELECT u.lot_id, sum(u.amount_minor) AS minor FROM invoice_settlements s
       JOIN credit_uses u ON u.cause_kind = 'invoice_credit' AND u.cause_id = s.cause_id
       WHERE s.invoice_id = $1 AND s.kind = 'credit' GROUP BY u.lot_id
     ), back AS (
       SELECT split_part(l.cause_id, '/', 2) AS lot_id, sum(l.amount_minor) AS minor
       FROM credit_notes n JOIN credit_lots l ON l.cause_kind IN ('credit_note', 'refund_as_credit')
         AND split_part(l.cause_id, '/', 1) = n.id::text
       WHERE n.invoice_id = $1 GROUP BY 1
     )
     SELECT l.id AS "lotId", l.source, l.expires_at AS "expiresAt",
            (used.minor - coalesce(back.minor, 0))::bigint AS "leftMinor"
     FROM used JOIN credit_lots l ON l.id = used.lot_id LEFT JOIN back ON back.lot_id = l.id::text
     WHERE l.source IN ('grant', 'promotion') AND used.minor > coalesce(back.minor, 0)
     ORDER BY l.expires_at DESC NULLS FIRST, l.id`,
    [invoiceId],
  );
}
