import type { EntityManager } from 'typeorm';
import { type AccountLimits, type AccountStanding, lockStanding } from '#libs/accounts';
import { runStatement, runStatements, type Statement } from '#libs/database';
import type { Demand } from '#libs/placement';
import { assertNothingStands, standingAgainst } from './good-standing.ts';
import { OrdersError } from './orders.errors.ts';

/** What an account's servers take together, those being made included. */
export interface AccountUsage {
  readonly servers: number;
  readonly vcpus: number;
  readonly memoryMib: number;
}

/**
 * Whether the account may have this too, decided for one order of an account at a time until the transaction ends.
 * @throws OrdersError `account_suspended`, `account_in_arrears`, `resource_limit_exceeded`
 */
export async function admit(
  manager: EntityManager,
  accountId: number,
  demand: Demand,
): Promise<AccountStanding> {
  const statements = [lockStanding(accountId), usageOf(accountId), standingAgainst(accountId)] as const;
  const [[standing], [usage], [against]] = await runStatements(manager, statements);
  if (!standing || !usage || !against) throw new Error(`there is no account ${accountId}`);
  assertNothingStands(against);
  assertWithinLimits(standing, usage, demand);
  return standing;
}

/** What a server becomes, beside what it is. */
export interface Growth extends Pick<Demand, 'vcpus' | 'memoryMib'> {
  /** Who has not paid may spend less, and not more. */
  readonly isDearer: boolean;
}

/**
 * Whether a server of the account may grow by this, decided for one order of an account at a time until the transaction ends.
 * @throws OrdersError as `admit`
 */
export async function admitGrowth(manager: EntityManager, accountId: number, growth: Growth): Promise<void> {
  const statements = [lockStanding(accountId), usageOf(accountId), standingAgainst(accountId)] as const;
  const [[standing], [usage], [against]] = await runStatements(manager, statements);
  if (!standing || !usage || !against) throw new Error(`there is no account ${accountId}`);
  if (growth.isDearer) assertNothingStands(against);
  assertResources(standing, usage, growth);
}

export async function accountUsage(manager: EntityManager, accountId: number): Promise<AccountUsage> {
  const [usage] = await runStatement(manager, usageOf(accountId));
  if (!usage) throw new Error('an aggregate without GROUP BY has one row');
  return usage;
}

function usageOf(accountId: number): Statement<AccountUsage> {
  return {
    // What is becoming larger has its room already.
    text: `SELECT count(*) AS servers, coalesce(sum(greatest(t.vcpus, r.vcpus)), 0) AS vcpus,
                  coalesce(sum(greatest(t.memory_mib, r.memory_mib)), 0) AS "memoryMib"
           FROM servers s JOIN server_types t ON t.id = s.server_type_id LEFT JOIN reservations r ON r.server_id = s.id
           WHERE s.account_id = $1 AND s.deleted_at IS NULL`,
    values: [accountId],
  };
}

/** @throws OrdersError `resource_limit_exceeded`, naming the limit, what is used of it and what was asked. */
export function assertWithinLimits(limits: AccountLimits, usage: AccountUsage, demand: Demand): void {
  assertBelow([{ what: 'servers', used: usage.servers, asked: 1, limit: limits.maxServers }]);
  assertResources(limits, usage, demand);
}

interface Check {
  readonly what: string;
  readonly used: number;
  readonly asked: number;
  readonly limit: number;
}

function assertResources(
  limits: AccountLimits,
  usage: AccountUsage,
  demand: Pick<Demand, 'vcpus' | 'memoryMib'>,
): void {
  assertBelow([
    { what: 'vCPUs', used: usage.vcpus, asked: demand.vcpus, limit: limits.maxVcpus },
    { what: 'MiB of memory', used: usage.memoryMib, asked: demand.memoryMib, limit: limits.maxMemoryMib },
  ]);
}

function assertBelow(checks: readonly Check[]): void {
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
