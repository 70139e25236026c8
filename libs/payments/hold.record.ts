import type { EntityManager } from 'typeorm';
import type { Currency } from '#libs/kernel';
import type { DeclineCode } from './payments.errors.ts';
import type { Hold, HoldStatus } from './port.ts';

/** `requested`: ours alone, no money asked for yet. `captured`, `cancelled` and `declined` are final. */
export type HoldRowStatus = Exclude<HoldStatus, 'opened'> | 'requested';

/** A row of `holds`. */
export interface HoldRecord {
  readonly id: number;
  readonly accountId: number;
  readonly orderId: number;
  readonly customerId: string;
  readonly cardId: string;
  readonly providerId: string | null;
  readonly amountMinor: number;
  readonly currency: Currency;
  readonly status: HoldRowStatus;
  readonly capturedMinor: number;
  readonly refundedMinor: number;
  readonly failureCode: DeclineCode | null;
  readonly actionUrl: string | null;
  readonly releaseRequestedAt: Date | null;
}

export const HOLD_COLUMNS = `id, account_id AS "accountId", order_id AS "orderId", customer_id AS "customerId",
  card_id AS "cardId", provider_id AS "providerId", amount_minor AS "amountMinor", currency, status,
  captured_minor AS "capturedMinor", refunded_minor AS "refundedMinor", failure_code AS "failureCode",
  action_url AS "actionUrl", release_requested_at AS "releaseRequestedAt"`;

/** How far a hold has come. What was seen earlier never undoes what was seen later. */
const STAGE: Readonly<Record<HoldRowStatus, number>> = {
  requested: 0,
  requires_action: 1,
  authorized: 2,
  declined: 3,
  captured: 3,
  cancelled: 3,
};

/** The status of a hold after the provider was seen in some state, whatever the order in which it was seen. */
export function nextStatus(now: HoldRowStatus, seen: HoldStatus): HoldRowStatus {
  const candidate = seen === 'opened' ? 'requested' : seen;
  return STAGE[candidate] > STAGE[now] ? candidate : now;
}

/** A hold by its order, if there is one. */
export async function holdOfOrder(
  manager: EntityManager,
  orderId: number,
  lock: '' | 'FOR UPDATE' = '',
): Promise<HoldRecord | undefined> {
  const sql = `SELECT ${HOLD_COLUMNS} FROM holds WHERE order_id = $1 ${lock}`;
  const [row] = await manager.query<HoldRecord[]>(sql, [orderId]);
  return row;
}

/** What an order's hold is made of. */
export type NewHold = Pick<
  HoldRecord,
  'id' | 'accountId' | 'orderId' | 'customerId' | 'cardId' | 'amountMinor' | 'currency'
>;

/** Hold and release of one order take turns, so that a late hold cannot slip past the release. */
async function takeTurn(manager: EntityManager, orderId: number): Promise<void> {
  await manager.query('SELECT pg_advisory_xact_lock($1)', [orderId]);
}

/** Adds an order's hold, unless it has one or was released. Within a transaction. */
export async function insertHold(manager: EntityManager, hold: NewHold): Promise<void> {
  await takeTurn(manager, hold.orderId);
  await manager.query(
    `INSERT INTO holds (id, account_id, order_id, customer_id, card_id, amount_minor, currency)
     SELECT $1, $2, $3, $4, $5, $6, $7 WHERE NOT EXISTS (SELECT FROM released_orders WHERE order_id = $3)
     ON CONFLICT (order_id) DO NOTHING`,
    [hold.id, hold.accountId, hold.orderId, hold.customerId, hold.cardId, hold.amountMinor, hold.currency],
  );
}

/** Writes that an order's hold is to be released, also where it has none yet. Within a transaction. */
export async function requestRelease(
  manager: EntityManager,
  orderId: number,
): Promise<HoldRecord | undefined> {
  await takeTurn(manager, orderId);
  const sql = `UPDATE holds SET release_requested_at = coalesce(release_requested_at, now())
    WHERE order_id = $1 RETURNING ${HOLD_COLUMNS}`;
  const [[row]] = await manager.query<[HoldRecord[], number]>(sql, [orderId]);
  if (row) return row;
  await manager.query('INSERT INTO released_orders (order_id) VALUES ($1) ON CONFLICT DO NOTHING', [orderId]);
  return undefined;
}

/** Writes what was seen at the provider into a locked row, and answers the row as it is then. */
export async function writeSeen(manager: EntityManager, row: HoldRecord, seen: Hold): Promise<HoldRecord> {
  const status = nextStatus(row.status, seen.status);
  const hasExpired = status === 'cancelled' && row.status !== 'cancelled' && !row.releaseRequestedAt;
  const failure =
    status === 'declined' ? (seen.declineCode ?? 'card_declined') : hasExpired ? 'hold_expired' : null;
  const after: HoldRecord = {
    ...row,
    status,
    capturedMinor: Math.max(row.capturedMinor, seen.capturedMinor),
    refundedMinor: Math.max(row.refundedMinor, seen.refundedMinor),
    failureCode: row.failureCode ?? failure,
    actionUrl: status === 'requires_action' ? (seen.actionUrl ?? row.actionUrl) : null,
  };
  await manager.query(
    `UPDATE holds SET status = $2, captured_minor = $3, refunded_minor = $4, failure_code = $5, action_url = $6,
       updated_at = now() WHERE id = $1`,
    [row.id, after.status, after.capturedMinor, after.refundedMinor, after.failureCode, after.actionUrl],
  );
  return after;
}
