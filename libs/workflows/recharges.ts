import type { DataSource, EntityManager } from 'typeorm';
import { armRecharge, availableCreditMinor, lockBooks } from '#libs/billing';
import { runInTransaction } from '#libs/database';
import { newId } from '#libs/kernel';
import type { SagaStore } from '#libs/saga';
import { rechargeCreditRequest } from './recharge-credit.saga.ts';

interface Mark {
  readonly accountId: number;
  readonly belowMinor: number;
  readonly amountMinor: number;
  readonly isArmed: boolean;
}

/**
 * Recharges the credit of accounts that has fallen below their mark: once for each fall, and one at a time. An account
 * is armed again when its credit has stood above the mark, when a recharge was paid, and when the card changes; so a
 * card that is declined is not charged again and again. @returns how many were started
 */
export async function rechargeDue(dataSource: DataSource, sagas: SagaStore, now: Date): Promise<number> {
  const accounts = await dataSource.query<{ id: number }[]>(
    'SELECT account_id AS id FROM billing_accounts WHERE recharge_below_minor IS NOT NULL ORDER BY account_id',
  );
  let started = 0;
  for (const { id } of accounts) {
    if (await runInTransaction(dataSource, (manager) => rechargeAccount(manager, sagas, id, now)))
      started += 1;
  }
  return started;
}

async function rechargeAccount(
  manager: EntityManager,
  sagas: SagaStore,
  accountId: number,
  now: Date,
): Promise<boolean> {
  const { currency } = await lockBooks(manager, accountId, 'money');
  const [mark] = await manager.query<Mark[]>(
    `SELECT account_id AS "accountId", recharge_below_minor AS "belowMinor",
            recharge_amount_minor AS "amountMinor", recharge_armed AS "isArmed"
     FROM billing_accounts WHERE account_id = $1 AND recharge_below_minor IS NOT NULL`,
    [accountId],
  );
  if (!mark) return false;
  const isAbove = (await availableCreditMinor(manager, accountId, now)) >= mark.belowMinor;
  const isStarted = !isAbove && mark.isArmed && (await start(manager, sagas, mark, currency));
  if (isAbove || isStarted) await armRecharge(manager, accountId, isAbove);
  return isStarted;
}

/** Writes the recharge and asks for it; nothing while another one is under way. */
async function start(
  manager: EntityManager,
  sagas: SagaStore,
  { accountId, amountMinor }: Mark,
  currency: string,
): Promise<boolean> {
  const topUpId = newId();
  const written = await manager.query<unknown[]>(
    `INSERT INTO top_ups (id, account_id, kind, currency, amount_minor) VALUES ($1, $2, 'recharge', $3, $4)
     ON CONFLICT (account_id) WHERE kind = 'recharge' AND status IN ('open', 'processing') DO NOTHING RETURNING id`,
    [topUpId, accountId, currency, amountMinor],
  );
  if (written.length === 0) return false;
  await sagas.start(
    manager,
    rechargeCreditRequest,
    { topUpId },
    { subject: { type: 'top_up', id: topUpId } },
  );
  return true;
}
