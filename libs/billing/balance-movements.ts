import type { EntityManager } from 'typeorm';
import { credit, debit, type LedgerEntry, post } from './ledger.ts';

/**
 * What moved the balance at the provider. The first four come of payments, refunds and disputes, whose gross sums are
 * posted when those are looked at; of them, only the fee is posted here.
 */
export type MovementKind = 'payment' | 'refund' | 'refund_failure' | 'dispute' | 'payout' | 'fee' | 'other';

export interface BalanceMovement {
  /** The provider's. */
  readonly movementId: string;
  readonly kind: MovementKind;
  readonly type: string;
  /** Before the fee; above zero comes in. */
  readonly amountMinor: number;
  readonly feeMinor: number;
  readonly currency: string;
  readonly sourceId: string | undefined;
  readonly paymentId: string | undefined;
  readonly createdAt: Date;
}

/**
 * Keeps a movement of the balance and posts what nothing else posts of it: fees, payouts to our bank, and what the
 * provider moves by itself. Call it in a transaction, as often as it is seen. @returns whether it was news
 */
export async function recordMovement(manager: EntityManager, moved: BalanceMovement): Promise<boolean> {
  const { movementId, kind, type, amountMinor, feeMinor, currency, createdAt } = moved;
  const written = await manager.query<unknown[]>(
    `INSERT INTO balance_movements (id, kind, type, amount_minor, fee_minor, currency, source_id, payment_id, created_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (id) DO NOTHING RETURNING id`,
    [
      movementId,
      kind,
      type,
      amountMinor,
      feeMinor,
      currency,
      moved.sourceId ?? null,
      moved.paymentId ?? null,
      createdAt,
    ],
  );
  if (written.length === 0) return false;
  const cause = { kind: 'balance_movement', id: movementId };
  await post(manager, { cause, at: createdAt, currency, entries: entriesOf(moved) });
  return true;
}

function entriesOf({ kind, type, amountMinor, feeMinor }: BalanceMovement): LedgerEntry[] {
  const fee = [debit('payment_fees', feeMinor, { detail: kind }), credit('stripe_clearing', feeMinor)];
  switch (kind) {
    case 'payout':
      return [debit('stripe_clearing', amountMinor), credit('paid_out', amountMinor), ...fee];
    case 'fee':
      return [
        debit('stripe_clearing', amountMinor),
        credit('payment_fees', amountMinor, { detail: type }),
        ...fee,
      ];
    case 'other':
      return [
        debit('stripe_clearing', amountMinor),
        credit('stripe_adjustments', amountMinor, { detail: type }),
        ...fee,
      ];
    default:
      return fee;
  }
}

/** What all movements that were seen come to, by currency: what has to be in the balance. */
export async function movementsMinor(manager: EntityManager): Promise<ReadonlyMap<string, number>> {
  const rows = await manager.query<{ currency: string; minor: number }[]>(
    'SELECT currency, sum(amount_minor - fee_minor)::bigint AS minor FROM balance_movements GROUP BY currency',
  );
  return new Map(rows.map(({ currency, minor }) => [currency, minor]));
}

/** A payment or a dispute that moved the balance by another sum than stands in the ledger. */
export interface MovedDifferently {
  readonly kind: 'payment' | 'dispute';
  readonly id: string;
  readonly currency: string;
  readonly bookedMinor: number;
  readonly movedMinor: number;
  /** What the provider has of it. */
  readonly movementIds: readonly string[];
}

/** Payments and disputes whose movements of the balance are not what the ledger has of them. */
export function movedDifferently(manager: EntityManager): Promise<MovedDifferently[]> {
  return manager.query<MovedDifferently[]>(
    `SELECT coalesce(m.kind, b.kind) AS kind, coalesce(m.object, b.object) AS id,
            coalesce(m.currency, b.currency) AS currency, coalesce(b.minor, 0) AS "bookedMinor",
            coalesce(m.minor, 0) AS "movedMinor", coalesce(m.ids, '{}') AS "movementIds"
     FROM (SELECT CASE kind WHEN 'dispute' THEN 'dispute' ELSE 'payment' END AS kind, currency,
                  CASE kind WHEN 'dispute' THEN coalesce(source_id, id) ELSE coalesce(payment_id, source_id, id) END AS object,
                  sum(amount_minor)::bigint AS minor, array_agg(id ORDER BY created_at, id) AS ids
           FROM balance_movements WHERE kind IN ('payment', 'refund', 'refund_failure', 'dispute')
           GROUP BY 1, 2, 3) AS m
     FULL JOIN (SELECT CASE WHEN t.cause_kind IN ('dispute', 'dispute_closed') THEN 'dispute' ELSE 'payment' END AS kind,
                       e.currency, split_part(t.cause_id, '/', 1) AS object, sum(e.amount)::bigint AS minor
                FROM ledger_entries e JOIN ledger_transactions t ON t.id = e.transaction_id
                WHERE e.account = 'stripe_clearing' AND t.cause_kind <> 'balance_movement'
                GROUP BY 1, 2, 3) AS b USING (kind, currency, object)
     WHERE coalesce(m.minor, 0) <> coalesce(b.minor, 0) ORDER BY 1, 2`,
  );
}

/** Refunds that came back and were not looked at since. */
export async function unseenRefundFailures(manager: EntityManager): Promise<readonly string[]> {
  const rows = await manager.query<{ id: string }[]>(
    `SELECT DISTINCT source_id AS id FROM balance_movements
     WHERE kind = 'refund_failure' AND looked_at IS NULL AND source_id IS NOT NULL`,
  );
  return rows.map(({ id }) => id);
}

export async function noteRefundFailureSeen(
  manager: EntityManager,
  refundId: string,
  at: Date,
): Promise<void> {
  await manager.query(
    `UPDATE balance_movements SET looked_at = $2 WHERE source_id = $1 AND kind = 'refund_failure'`,
    [refundId, at],
  );
}

/** What the ledger has of a payment in the balance at the provider, before fees, in minor units. */
export async function ledgerOfPayment(manager: EntityManager, paymentId: string): Promise<number> {
  const [row] = await manager.query<{ minor: number }[]>(
    `SELECT coalesce(sum(e.amount), 0)::bigint AS minor
     FROM ledger_transactions t JOIN ledger_entries e ON e.transaction_id = t.id
     WHERE split_part(t.cause_id, '/', 1) = $1 AND e.account = 'stripe_clearing'
       AND t.cause_kind NOT IN ('dispute', 'dispute_closed', 'balance_movement')`,
    [paymentId],
  );
  return row?.minor ?? 0;
}
