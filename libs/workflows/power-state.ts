import type { EntityManager } from 'typeorm';
import type { StepContext } from '#libs/saga';
import type { ObservedState } from '#libs/servers';
import { loadPlaced, type PlacedServer } from './server-context.ts';
import type { WorkflowDeps } from './workflow-deps.ts';

type Context = Pick<StepContext<{ serverId: number }, unknown, WorkflowDeps>, 'params' | 'deps'>;

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
}

/** Asks the host what the domain is doing now, and writes it: how a power action ends that did not succeed. */
export async function observeNow(manager: EntityManager, ctx: Context): Promise<void> {
  const { server, host } = await placedServer(ctx);
  const state = await ctx.deps.hypervisor.domainState(host, server.domainUuid);
  const observed = state === 'running' || state === 'paused' ? 'running' : 'off';
  await manager.query(
    `UPDATE servers SET observed = $2, desired = $2 WHERE id = $1 AND desired <> 'deleted'`,
    [server.id, observed],
  );
}
