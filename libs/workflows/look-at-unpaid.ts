import type { EntityManager } from 'typeorm';
import { notePaid, payWithCredit } from '#libs/billing';
import { runInTransaction } from '#libs/database';
import { startCollecting } from './collect-invoices.ts';
import type { CollectingDeps } from './collecting-deps.ts';
import { lookAtInvoice, mirrorTopUp } from './provider-books.ts';

/** Whose, or asked for before which moment. */
interface Unpaid {
  readonly accountId?: number;
  readonly before?: Date;
}

/**
 * Looks at all that an account was asked for at the provider and has not paid as far as is known, and brings the books
 * to what is there. What credit there is then pays at once: nobody loses a server for what they have paid in.
 * @throws PaymentError `provider_unavailable`
 */
export async function lookAtUnpaid(deps: CollectingDeps, accountId: number): Promise<void> {
  await lookAtUnpaidInvoices(deps, { accountId });
  await lookAtOpenPages(deps, { accountId });
  await runInTransaction(deps.dataSource, (manager) => payOpenWithCredit(manager, deps, accountId));
}

/** The oldest invoice first. What asks for it at the provider is taken back by its collecting. */
async function payOpenWithCredit(
  manager: EntityManager,
  { sagas, clock }: CollectingDeps,
  accountId: number,
): Promise<void> {
  const at = clock.now();
  const open = await manager.query<{ id: number }[]>(
    `SELECT i.id FROM open_invoices o JOIN invoices i ON i.id = o.invoice_id WHERE o.account_id = $1
     ORDER BY i.issued_at, i.number`,
    [accountId],
  );
  for (const { id: invoiceId } of open) {
    if ((await payWithCredit(manager, { invoiceId, at })) === 0) return;
    await startCollecting(manager, sagas, invoiceId);
    await notePaid(manager, { accountId, at });
  }
}

/** Invoices at the provider: one that was paid longer ago than events are kept is found like this alone. */
export async function lookAtUnpaidInvoices(deps: CollectingDeps, unpaid: Unpaid): Promise<void> {
  const asked = await deps.dataSource.query<{ id: string }[]>(
    `SELECT provider_id AS id FROM collections
     WHERE provider_id IS NOT NULL AND status IN ('requested', 'draft', 'open')
       AND ($1::bigint IS NULL OR account_id = $1) AND ($2::timestamptz IS NULL OR requested_at < $2)
     ORDER BY requested_at`,
    [unpaid.accountId ?? null, unpaid.before ?? null],
  );
  for (const { id } of asked) {
    await runInTransaction(deps.dataSource, (manager) => lookAtInvoice(manager, deps, id));
  }
}

/** Pages to pay in that nobody has paid or left. */
export async function lookAtOpenPages(deps: CollectingDeps, unpaid: Unpaid): Promise<void> {
  const pages = await deps.dataSource.query<{ id: string }[]>(
    `SELECT provider_id AS id FROM top_ups WHERE provider_id IS NOT NULL AND status IN ('open', 'processing')
       AND ($1::bigint IS NULL OR account_id = $1) AND ($2::timestamptz IS NULL OR created_at < $2)`,
    [unpaid.accountId ?? null, unpaid.before ?? null],
  );
  for (const { id } of pages) {
    const seen = await deps.provider.money.fetchTopUp(id);
    await runInTransaction(deps.dataSource, (manager) => mirrorTopUp(manager, deps, seen));
  }
}
