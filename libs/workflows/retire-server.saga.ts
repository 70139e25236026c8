import { closeServer } from '#libs/billing';
import { deps, saga } from '#libs/saga';
import { noteRetired, retireServerRequest, standingOf } from '#libs/servers';
import { withdrawAccess } from './access.ts';
import { placedServer } from './power-state.ts';
import type { WorkflowDeps } from './workflow-deps.ts';

/**
 * Deletes a suspended server softly: it stays off, its owner does not see it any more and is not billed for it, but its
 * room, its address and all its data are kept. Nothing where its account has paid meanwhile.
 */
export const retireServer = saga(retireServerRequest, deps<WorkflowDeps>())
  .pointOfNoReturn('resume-server gives it back to an owner who pays')
  .step('decide', {
    title: 'Looking whether it is still to go',
    do: async ({ params, deps }) => {
      const standing = await standingOf(deps.dataSource.manager, params.serverId);
      return { isWanted: standing?.wanted === 'retired' && standing.found === 'suspended' };
    },
  })
  .step('close-ports', {
    title: 'Closing its ports',
    do: async (ctx) => {
      if (!ctx.outputs.decide.isWanted) return {};
      const { address } = await placedServer(ctx);
      await withdrawAccess(ctx.deps.access, address);
      return {};
    },
  })
  .step('hide', {
    title: 'Taking it out of sight',
    transact: async (manager, { params: { serverId }, outputs }) => {
      if (!outputs.decide.isWanted) return {};
      await noteRetired(manager, serverId, true);
      await closeServer(manager, serverId);
      await manager.query(`UPDATE servers SET access = '[]' WHERE id = $1`, [serverId]);
      return {};
    },
  })
  .build();
