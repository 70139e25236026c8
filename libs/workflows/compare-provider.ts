import type { EntityManager } from 'typeorm';
import { type BooksDifference, collection, creditedBy, findCollection, ledgerOfPayment } from '#libs/billing';
import { runInTransaction } from '#libs/database';
import { type Dispute, type Payment, PaymentError, type ProviderInvoice } from '#libs/payments';
import type { CollectingDeps } from './collecting-deps.ts';
import { compareBalance } from './compare-balance.ts';
import { lookAtOpenPages, lookAtUnpaidInvoices } from './look-at-unpaid.ts';
import { lookAtInvoice, lookAtPayment, mirrorPayment, paidForBy } from './provider-books.ts';
import { lookAtDispute } from './provider-disputes.ts';

const DAY_MILLISECONDS = 86_400_000;
/** Longer than the provider keeps events, by which the sweep repairs what was lost. */
const COMPARED_DAYS = 35;

type MovedBy = 'payment' | 'dispute';

/** What the books have of an object of the provider, and what the provider has. */
interface Pair {
  readonly kind: MovedBy;
  readonly id: string;
  readonly there: number;
}

/**
 * Compares every object of ours that the provider has of the last 35 days, and every one that the books name of that
 * time, with the ledger: payments with their refunds, disputes, invoices, and pages to pay in; and the clearing account
 * with the balance. What differs is looked
 * at once more, and the books are brought to it; what differs even then is answered. What is not paid is looked at however
 * old it is. Read-only where all is well.
 * @throws PaymentError `provider_unavailable`
 */
export async function compareWithProvider(deps: CollectingDeps): Promise<BooksDifference[]> {
  const daysAgo = (days: number) => new Date(deps.clock.now().getTime() - days * DAY_MILLISECONDS);
  const since = daysAgo(COMPARED_DAYS);
  await lookAtUnpaidInvoices(deps, { before: since });
  await lookAtOpenPages(deps, { before: daysAgo(1) });
  await lookAtOpenDisputes(deps);
  const invoices = await invoicesDiffering(deps, since);
  const pairs = await pairsOf(deps, since);
  const differing: BooksDifference[] = [];
  for (const pair of pairs) {
    if ((await bookedMinor(deps.dataSource.manager, pair)) === pair.there) continue;
    const after = await mend(deps, pair);
    const off = (await bookedMinor(deps.dataSource.manager, pair)) - after;
    if (off !== 0) {
      const rule = `a ${pair.kind} is in the books as the provider has it`;
      differing.push({ rule, subject: `${pair.kind} ${pair.id}`, differsBy: String(off) });
    }
  }
  const balance = await compareBalance(deps, async ({ kind, id }) => mend(deps, { kind, id, there: 0 }));
  return [...invoices, ...differing, ...balance];
}

async function pairsOf(deps: CollectingDeps, since: Date): Promise<Pair[]> {
  const { money } = deps.provider;
  const pairs = new Map<string, Pair>();
  const add = (kind: MovedBy, id: string, there: number) => pairs.set(`${kind} ${id}`, { kind, id, there });
  for await (const payment of money.listPayments(since)) {
    if (await isOurs(deps, payment)) add('payment', payment.paymentId, movedBy(payment));
  }
  for await (const dispute of money.listDisputes(since)) {
    if (await isOurDispute(deps, dispute)) add('dispute', dispute.disputeId, heldBy(dispute));
  }
  for (const { kind, id } of await bookedSince(deps, since)) {
    if (!pairs.has(`${kind} ${id}`)) add(kind, id, await there(deps, kind, id));
  }
  return [...pairs.values()];
}

/** Whether a payment was made for us: by its account, or because it collects an invoice that we asked for. */
async function isOurs({ dataSource, provider }: CollectingDeps, payment: Payment): Promise<boolean> {
  if (payment.accountId !== undefined) return true;
  const [known] = await dataSource.query<unknown[]>('SELECT 1 FROM collections WHERE payment_id = $1', [
    payment.paymentId,
  ]);
  if (known || payment.receivedMinor === 0) return known !== undefined;
  const whole = await provider.money.fetchPayment(payment.paymentId);
  return (await paidForBy(dataSource.manager, whole)) !== undefined;
}

async function isOurDispute(deps: CollectingDeps, { paymentId }: Dispute): Promise<boolean> {
  if (paymentId === undefined) return false;
  return isOurs(deps, await deps.provider.money.fetchPayment(paymentId));
}

/** What the books say that was moved by payments and disputes since a moment. */
function bookedSince({ dataSource }: CollectingDeps, since: Date): Promise<{ kind: MovedBy; id: string }[]> {
  return dataSource.query(
    `SELECT DISTINCT CASE WHEN t.cause_kind IN ('dispute', 'dispute_closed') THEN 'dispute' ELSE 'payment' END AS kind,
            split_part(t.cause_id, '/', 1) AS id
     FROM ledger_transactions t JOIN ledger_entries e ON e.transaction_id = t.id
     WHERE e.account = 'stripe_clearing' AND e.posted_at >= $1
       AND t.cause_kind IN ('invoice_payment', 'top_up', 'hold_captured', 'hold_refunded', 'hold_refund_failed',
                            'payment_refund',
                            'dispute', 'dispute_closed')`,
    [since],
  );
}

async function bookedMinor(manager: EntityManager, { kind, id }: Pair): Promise<number> {
  if (kind === 'payment') return ledgerOfPayment(manager, id);
  const [row] = await manager.query<{ minor: number }[]>(
    `SELECT coalesce(sum(e.amount), 0)::bigint AS minor
     FROM ledger_transactions t JOIN ledger_entries e ON e.transaction_id = t.id
     WHERE t.cause_id = $1 AND e.account = 'stripe_clearing' AND t.cause_kind IN ('dispute', 'dispute_closed')`,
    [id],
  );
  return row?.minor ?? 0;
}

function movedBy({ receivedMinor, refundedMinor }: Payment): number {
  return receivedMinor - refundedMinor;
}

function heldBy({ status, amountMinor }: Dispute): number {
  return status === 'open' || status === 'lost' ? -amountMinor : 0;
}

/** What the provider has of one object; nothing where it does not know it. */
async function there({ provider }: CollectingDeps, kind: MovedBy, id: string): Promise<number> {
  try {
    if (kind === 'dispute') return heldBy(await provider.money.fetchDispute(id));
    return movedBy(await provider.money.fetchPayment(id));
  } catch (error) {
    if (error instanceof PaymentError && error.kind === 'not_found') return 0;
    throw error;
  }
}

/** Brings the books to an object that differs. @returns what the provider has of it now */
async function mend(deps: CollectingDeps, { kind, id, there: before }: Pair): Promise<number> {
  try {
    return await runInTransaction(deps.dataSource, async (manager) => {
      if (kind === 'dispute') return heldBy(await lookAtDispute(manager, deps, id));
      const payment = await lookAtPayment(manager, deps, id);
      await mirrorPayment(manager, deps, payment);
      return movedBy(payment);
    });
  } catch (error) {
    if (error instanceof PaymentError && error.kind === 'not_found') return before;
    throw error;
  }
}

async function invoicesDiffering(deps: CollectingDeps, since: Date): Promise<BooksDifference[]> {
  const { manager } = deps.dataSource;
  const differing: BooksDifference[] = [];
  const differ = (rule: string, { invoiceId }: ProviderInvoice, by: number) =>
    differing.push({ rule, subject: `invoice ${invoiceId}`, differsBy: String(by) });
  for await (const seen of deps.provider.invoices.list(since)) {
    if (!seen.reference?.startsWith('collection ')) continue;
    const asked = await findCollection(manager, { providerId: seen.invoiceId });
    if (!asked) {
      if (!(await isSettled(deps, seen))) {
        differ('an invoice at the provider is one that we asked for', seen, seen.totalMinor);
      }
      continue;
    }
    if (seen.status !== 'draft' && seen.totalMinor !== asked.amountMinor) {
      differ(
        'an invoice at the provider asks for what we asked for',
        seen,
        seen.totalMinor - asked.amountMinor,
      );
    }
    if (seen.status === asked.status) continue;
    await runInTransaction(deps.dataSource, (within) => lookAtInvoice(within, deps, seen.invoiceId));
    const { status } = await collection(manager, asked.id);
    const now = await deps.provider.invoices.fetch(seen.invoiceId);
    if (now.status !== status)
      differ('an invoice stands as it stands at the provider', seen, now.remainingMinor);
  }
  return differing;
}

/** Whether nobody has paid, or is asked to pay, an invoice that the books do not know, but for what became credit. */
async function isSettled(
  deps: CollectingDeps,
  { status, invoiceId, paymentId }: ProviderInvoice,
): Promise<boolean> {
  if (status === 'draft' || status === 'void') return true;
  if (status !== 'paid' || paymentId === undefined) return false;
  await runInTransaction(deps.dataSource, (within) => lookAtInvoice(within, deps, invoiceId));
  return (await creditedBy(deps.dataSource.manager, paymentId)) !== undefined;
}

/** Disputes that are open in the books: how they end moves no money at the provider where they are lost. */
async function lookAtOpenDisputes(deps: CollectingDeps): Promise<void> {
  const open = await deps.dataSource.query<{ id: string }[]>(
    `SELECT cause_id AS id FROM ledger_transactions d WHERE cause_kind = 'dispute' AND NOT EXISTS (
       SELECT 1 FROM ledger_transactions c WHERE c.cause_kind = 'dispute_closed' AND c.cause_id = d.cause_id)`,
  );
  for (const { id } of open) {
    await runInTransaction(deps.dataSource, (manager) => lookAtDispute(manager, deps, id));
  }
}
