import type { DataSource, EntityManager } from 'typeorm';
import { runInTransaction } from '#libs/database';
import { lockBooks } from './billing-accounts.ts';
import { credit, debit, post } from './ledger.ts';

interface Expired {
  readonly id: number;
  readonly accountId: number;
  readonly currency: string;
  readonly expiresAt: Date;
}

/** Takes back what is left of credit that has expired; it may be repeated. @returns how many lots have ended */
export async function expireCredit(dataSource: DataSource, now: Date): Promise<number> {
  const due = await dataSource.query<Expired[]>(
    `SELECT l.id, l.account_id AS "accountId", l.currency, l.expires_at AS "expiresAt"
     FROM credit_lots l LEFT JOIN credit_uses u ON u.lot_id = l.id
     WHERE l.expires_at <= $1 GROUP BY l.id HAVING coalesce(sum(u.amount_minor), 0) < l.amount_minor
     ORDER BY l.expires_at`,
    [now],
  );
  for (const lot of due) await runInTransaction(dataSource, (manager) => expireLot(manager, lot));
  return due.length;
}

async function expireLot(manager: EntityManager, lot: Expired): Promise<void> {
  const { accountId: customerId, currency } = lot;
  await lockBooks(manager, customerId, 'money');
  const cause = { kind: 'credit_expired', id: String(lot.id) };
  const [used] = await manager.query<{ amount: number }[]>(
    `INSERT INTO credit_uses (lot_id, cause_kind, cause_id, amount_minor, used_at)
     SELECT l.id, $2, $3, l.amount_minor - coalesce(sum(u.amount_minor), 0), l.expires_at
     FROM credit_lots l LEFT JOIN credit_uses u ON u.lot_id = l.id WHERE l.id = $1
     GROUP BY l.id HAVING coalesce(sum(u.amount_minor), 0) < l.amount_minor RETURNING amount_minor AS amount`,
    [lot.id, cause.kind, cause.id],
  );
  if (!used) return;
  const entries = [debit('customer_credit', used.amount, { customerId }), credit('promotions', used.amount)];
  await post(manager, { cause, at: lot.expiresAt, currency, entries });
}
