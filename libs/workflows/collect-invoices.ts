import type { DataSource, EntityManager } from 'typeorm';
import { collectInvoiceRequest, LEAST_CHARGE_MINOR, noteUnpaid, type OnIssued } from '#libs/billing';
import { runInTransaction } from '#libs/database';
import type { SagaStore, SagaWakeUp } from '#libs/saga';

/** How long an invoice that could not be asked for is left alone. */
const AGAIN_SECONDS = 3600;

/**
 * Collects what is open of an invoice, in the transaction that says so: the one that issues it, above all. Asking again
 * tries again, after what is under way already; nothing is started while another try has not begun.
 */
export async function startCollecting(
  manager: EntityManager,
  sagas: SagaStore,
  invoiceId: number,
): Promise<SagaWakeUp | undefined> {
  const subject = { type: 'invoice', id: invoiceId };
  const [inLine] = await manager.query<unknown[]>(
    `SELECT 1 FROM sagas s WHERE subject_type = $1 AND subject_id = $2 AND finished_at IS NULL
       AND NOT EXISTS (SELECT 1 FROM saga_steps l WHERE l.saga_id = s.id) LIMIT 1`,
    [subject.type, subject.id],
  );
  return inLine ? undefined : sagas.start(manager, collectInvoiceRequest, { invoiceId }, { subject });
}

/** Has every invoice that a closing issues collected, unless credit has paid it. */
export function collectIssued(sagas: SagaStore): OnIssued {
  return async (manager, { invoiceId, openMinor }) => {
    if (openMinor > 0) await startCollecting(manager, sagas, invoiceId);
  };
}

/**
 * Tries all open invoices of an account once more: the customer has another card, credit has come, or the time for it
 * has. What a bank has taken back is asked for like all else, and never charged by itself. @returns how many
 */
export async function collectOpenInvoices(
  manager: EntityManager,
  sagas: SagaStore,
  accountId: number,
): Promise<number> {
  const open = await manager.query<{ id: number }[]>(
    `SELECT i.id FROM open_invoices o JOIN invoices i ON i.id = o.invoice_id WHERE o.account_id = $1
     ORDER BY i.issued_at, i.number`,
    [accountId],
  );
  for (const { id } of open) await startCollecting(manager, sagas, id);
  return open.length;
}

/**
 * Tries the open invoices of an account once more because the time for it has come: not those that the card on file was
 * refused for for good, whatever others were refused for. @returns how many
 */
export async function retryOpenInvoices(
  manager: EntityManager,
  sagas: SagaStore,
  accountId: number,
): Promise<number> {
  const open = await manager.query<{ id: number }[]>(
    `SELECT i.id FROM open_invoices o JOIN invoices i ON i.id = o.invoice_id WHERE o.account_id = $1
       AND NOT EXISTS (SELECT 1 FROM collection_parts p JOIN collections c ON c.id = p.collection_id
                       WHERE p.invoice_id = i.id AND c.status = 'open' AND c.withdrawn_at IS NULL AND c.is_decline_final
                         AND c.tried_card IS NOT DISTINCT FROM (SELECT d.provider_id FROM cards d
                           WHERE d.account_id = $1 AND d.is_default AND d.detached_at IS NULL))
     ORDER BY i.issued_at, i.number`,
    [accountId],
  );
  for (const { id } of open) await startCollecting(manager, sagas, id);
  return open.length;
}

/** Whether credit that nobody has used yet can pay `i`: it was given, redeemed or given back. The oldest one is first. */
const HAS_CREDIT = `(
  EXISTS (SELECT 1 FROM credit_lots l WHERE l.account_id = o.account_id AND (l.expires_at IS NULL OR l.expires_at > $3)
          AND l.amount_minor > (SELECT coalesce(sum(u.amount_minor), 0) FROM credit_uses u WHERE u.lot_id = l.id))
  AND NOT EXISTS (SELECT 1 FROM open_invoices p JOIN invoices e ON e.id = p.invoice_id
                  WHERE p.account_id = o.account_id AND (e.issued_at, e.number) < (i.issued_at, i.number)))`;

/**
 * What the clock brings: open invoices that nobody asks for, or that are asked for with another sum than is open by
 * now, or that credit can pay, are asked for, whatever has kept them from it, and those with terms that have run out are
 * unpaid. It may be run as often as you like. @returns how many were asked for
 */
export async function collectDue(dataSource: DataSource, sagas: SagaStore, now: Date): Promise<number> {
  const left = await dataSource.query<{ id: number }[]>(
    `SELECT id FROM (
       SELECT i.id, i.issued_at, i.number, asked.minor AS asked_minor,
              sum(o.open_minor) OVER (PARTITION BY o.account_id) AS together, ${HAS_CREDIT} AS has_credit
       FROM open_invoices o JOIN invoices i ON i.id = o.invoice_id
       LEFT JOIN LATERAL (SELECT p.amount_minor AS minor FROM collection_parts p
                          JOIN collections c ON c.id = p.collection_id
                          WHERE p.invoice_id = i.id AND c.status IN ('requested', 'draft', 'open')
                            AND c.withdrawn_at IS NULL LIMIT 1) AS asked ON true
       WHERE (asked.minor IS DISTINCT FROM o.open_minor OR ${HAS_CREDIT})
         AND NOT EXISTS (SELECT 1 FROM sagas s WHERE s.subject_type = 'invoice' AND s.subject_id = i.id
                         AND (s.finished_at IS NULL OR s.finished_at > now() - make_interval(secs => $1)))
     ) AS uncollected
     WHERE asked_minor IS NOT NULL OR together >= $2 OR has_credit ORDER BY issued_at, number LIMIT 1000`,
    [AGAIN_SECONDS, LEAST_CHARGE_MINOR, now],
  );
  for (const { id } of left)
    await runInTransaction(dataSource, (manager) => startCollecting(manager, sagas, id));
  await noteOverdue(dataSource, now);
  return left.length;
}

/** Open invoices whose collecting has come to nothing: the operator should look why. */
export async function uncollected(
  dataSource: DataSource,
): Promise<{ invoiceId: number; accountId: number }[]> {
  return dataSource.query(
    `SELECT i.id AS "invoiceId", i.account_id AS "accountId"
     FROM open_invoices o JOIN invoices i ON i.id = o.invoice_id
     WHERE NOT EXISTS (SELECT 1 FROM collection_parts p JOIN collections c ON c.id = p.collection_id
                       WHERE p.invoice_id = i.id AND c.status IN ('requested', 'draft', 'open'))
       AND EXISTS (SELECT 1 FROM sagas s
                   WHERE s.subject_type = 'invoice' AND s.subject_id = i.id AND s.state = 'undone')
     ORDER BY i.issued_at, i.number LIMIT 1000`,
  );
}

async function noteOverdue(dataSource: DataSource, now: Date): Promise<void> {
  const overdue = await dataSource.query<{ accountId: number; invoiceId: number }[]>(
    `SELECT o.account_id AS "accountId", o.invoice_id AS "invoiceId"
     FROM collections c JOIN collection_parts p ON p.collection_id = c.id JOIN open_invoices o ON o.invoice_id = p.invoice_id
     WHERE c.terms_days IS NOT NULL AND c.status = 'open' AND c.withdrawn_at IS NULL AND c.due_at < $1`,
    [now],
  );
  for (const one of overdue) {
    await runInTransaction(dataSource, (manager) => noteUnpaid(manager, { ...one, at: now, isHard: true }));
  }
}
