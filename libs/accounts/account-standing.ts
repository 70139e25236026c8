import type { EntityManager } from 'typeorm';
import type { Statement } from '#libs/database';
import type { Account, AccountLimits } from './account.entity.ts';

/** What decides whether an account's order is taken. `trusted` accounts need no hold. */
export type AccountStanding = AccountLimits & Pick<Account, 'trusted'>;

/** Reads it and locks the account's row until the transaction ends, so that its orders are counted one by one. */
export function lockStanding(accountId: number): Statement<AccountStanding> {
  return {
    text: `SELECT trusted, max_servers AS "maxServers", max_vcpus AS "maxVcpus", max_memory_mib AS "maxMemoryMib",
                  max_volume_gib AS "maxVolumeGib"
           FROM accounts WHERE id = $1 FOR NO KEY UPDATE`,
    values: [accountId],
  };
}

/** An account has paid an invoice: from now on its orders need no hold. */
export async function trustAccount(manager: EntityManager, accountId: number): Promise<void> {
  await manager.query('UPDATE accounts SET trusted = true WHERE id = $1 AND NOT trusted', [accountId]);
}

/** Whether there is an account of this id, closed ones among them. */
export async function hasAccount(manager: EntityManager, accountId: number): Promise<boolean> {
  const found = await manager.query<unknown[]>('SELECT 1 FROM accounts WHERE id = $1', [accountId]);
  return found.length > 0;
}
