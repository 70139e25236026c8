import type { EntityManager } from 'typeorm';
import type { AccountLimits } from '#libs/accounts';
import { runStatement } from '#libs/database';
import type { Demand } from '#libs/placement';
import { OrdersError } from './orders.errors.ts';

/** What an account's servers take together, those being made included. */
export interface AccountUsage {
  readonly servers: number;
  readonly vcpus: number;
  readonly memoryMib: number;
}

export async function accountUsage(manager: EntityManager, accountId: number): Promise<AccountUsage> {
  const [usage] = await runStatement<AccountUsage>(manager, {
    text: `SELECT count(*) AS servers, coalesce(sum(t.vcpus), 0) AS vcpus, coalesce(sum(t.memory_mib), 0) AS "memoryMib"
           FROM servers s JOIN server_types t ON t.id = s.server_type_id
           WHERE s.account_id = $1 AND s.deleted_at IS NULL`,
    values: [accountId],
  });
  if (!usage) throw new Error('an aggregate without GROUP BY has one row');
  return usage;
}

/** @throws OrdersError `resource_limit_exceeded`, naming the limit, what is used of it and what was asked. */
export function assertWithinLimits(limits: AccountLimits, usage: AccountUsage, demand: Demand): void {
  const checks = [
    { what: 'servers', used: usage.servers, asked: 1, limit: limits.maxServers },
    { what: 'vCPUs', used: usage.vcpus, asked: demand.vcpus, limit: limits.maxVcpus },
    { what: 'MiB of memory', used: usage.memoryMib, asked: demand.memoryMib, limit: limits.maxMemoryMib },
  ];
  for (const { what, used, asked, limit } of checks) {
    if (used + asked > limit) {
      throw new OrdersError(
        'resource_limit_exceeded',
        `this account may have ${limit} ${what}; ${used} are used and ${asked} more were asked for`,
        { details: { limit, used, asked } },
      );
    }
  }
}
