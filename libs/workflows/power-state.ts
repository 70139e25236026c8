import type { EntityManager } from 'typeorm';
import { billPower } from '#libs/billing';
import { isHypervisorError } from '#libs/hypervisor';
import type { StepContext } from '#libs/saga';
import type { ObservedState } from '#libs/servers';
import { loadPlaced, type PlacedServer } from './server-context.ts';
import type { WorkflowDeps } from './workflow-deps.ts';

type Context = Pick<StepContext<{ serverId: number }, unknown, WorkflowDeps>, 'params' | 'deps'>;

/** What a host does not answer once may be the way to it. */
const TRIES_TO_LOOK = 5;

/** What a domain is doing, as far as its owner is concerned. */
export type PowerState = 'running' | 'off';

export function placedServer({ params, deps }: Context): Promise<PlacedServer> {
  return loadPlaced(deps.dataSource.manager, params.serverId);
}

/** Writes what was seen, unless the server has been deleted meanwhile. */
export async function observe(
  manager: EntityManager,
  serverId: number,
  observed: ObservedState,
): Promise<void> {
  await manager.query(
    `UPDATE servers SET observed = $2, reason = NULL WHERE id = $1 AND desired <> 'deleted'`,
    [serverId, observed],
  );
  if (observed === 'running' || observed === 'off') await billPower(manager, serverId, observed);
}

/** Asks the host what the domain is doing now. Outside any transaction: a host may take its time to answer. */
export async function look(ctx: Context): Promise<PowerState> {
  const { server, host } = await placedServer(ctx);
  const state = await ctx.deps.hypervisor.domainState(host, server.domainUuid);
  return state === 'running' || state === 'paused' ? 'running' : 'off';
}

/** The same for what has to end: a host that has not answered for some tries may be gone for good, and runs nothing then. */
export function lookIfThere(ctx: Context & { readonly attempt: number }): Promise<PowerState> {
  return look(ctx).catch((error: unknown): PowerState => {
    if (ctx.attempt < TRIES_TO_LOOK && isHypervisorError(error) && error.retryable) throw error;
    return 'off';
  });
}

/**
 * Writes what `look` saw as state and intent alike: how a power action ends that did not succeed. It runs in the
 * transaction that records the undoing, which only the saga's owner can commit, so what was seen is not out of date:
 * no other workflow has worked on the server since.
 */
export async function writeSeen(manager: EntityManager, ctx: Context, seen: PowerState): Promise<void> {
  await manager.query(
    `UPDATE servers SET observed = $2, desired = $2 WHERE id = $1 AND desired <> 'deleted'`,
    [ctx.params.serverId, seen],
  );
  await billPower(manager, ctx.params.serverId, seen);
}
