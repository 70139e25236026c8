import type { EntityManager } from 'typeorm';
import { deps, saga } from '#libs/saga';
import {
  endSuspension,
  isRetired,
  lockServer,
  noteRetired,
  resumeServerRequest,
  type ServerAccess,
  standingOf,
} from '#libs/servers';
import { publishAccess } from './access.ts';
import { openBilling } from './open-billing.ts';
import { observe, type PowerState, placedServer } from './power-state.ts';
import { setNetwork } from './suspension.ts';
import type { WorkflowDeps } from './workflow-deps.ts';

/** How far a server comes back: to its owner's sight alone, while something else stands against them, or wholly. */
interface Decision {
  readonly power: PowerState | null;
  readonly isRetired: boolean;
}

/** Gives a server back to its owner as it was: seen, on the network, running or off. What stands is asked anew. */
export const resumeServer = saga(resumeServerRequest, deps<WorkflowDeps>())
  .pointOfNoReturn(
    'what it was suspended for is lifted; should anything else stand then, suspend-server follows',
  )
  .step('decide', {
    title: 'Looking what stands against it',
    do: async ({ params, deps }) => decide(deps.dataSource.manager, params.serverId),
  })
  .step('open-network', {
    title: 'Opening its network as it was',
    do: async (ctx) => {
      if (ctx.outputs.decide.power) await setNetwork(ctx, (await placedServer(ctx)).server.network);
      return {};
    },
  })
  .step('open-ports', {
    title: 'Opening its ports',
    do: async (ctx) => {
      if (!ctx.outputs.decide.isRetired) return { access: null };
      const { image, address } = await placedServer(ctx);
      return { access: await publishAccess(ctx.deps.access, image, address) };
    },
  })
  .step('power-as-it-was', {
    title: 'Switching it on, if it was on',
    do: async (ctx) => {
      if (ctx.outputs.decide.power !== 'running') return {};
      const { server, host } = await placedServer(ctx);
      await ctx.deps.hypervisor.startDomain(host, server.domainUuid);
      return {};
    },
  })
  .step('give-back', {
    title: 'Giving it back',
    transact: async (manager, { params: { serverId }, outputs }) => {
      const { power } = outputs.decide;
      await show(manager, serverId, outputs['open-ports'].access);
      if (!power) return {};
      await endSuspension(manager, serverId);
      await observe(manager, serverId, power);
      return {};
    },
  })
  .build();

async function decide(manager: EntityManager, serverId: number): Promise<Decision> {
  const standing = await standingOf(manager, serverId);
  if (!standing) return { power: null, isRetired: false };
  const isFree = standing.wanted === 'free';
  const isBack = isFree || standing.wanted === 'suspended';
  return {
    power: isFree ? standing.powerBefore : null,
    isRetired: isBack && (await isRetired(manager, serverId)),
  };
}

/** Its owner sees it again, with its ports as they are shown now, and is billed for it again. */
async function show(
  manager: EntityManager,
  serverId: number,
  access: readonly ServerAccess[] | null,
): Promise<void> {
  if (!access) return;
  // One that is being deleted is billed no more.
  if ((await lockServer(manager, serverId)).desired === 'deleted') return;
  await noteRetired(manager, serverId, false);
  await manager.query('UPDATE servers SET access = $2 WHERE id = $1', [serverId, JSON.stringify(access)]);
  await openBilling(manager, serverId, false);
}
