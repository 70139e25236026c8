import { deps, saga } from '#libs/saga';
import { powerOnServerRequest } from '#libs/servers';
import { look, observe, placedServer, writeSeen } from './power-state.ts';
import { defineAs } from './switch-disk.ts';
import type { WorkflowDeps } from './workflow-deps.ts';

/**
 * Switches a server on and sees it running. Its machine is defined anew first, and so gets what machines have got since it was
 * made, such as a screen.
 */
export const powerOnServer = saga(powerOnServerRequest, deps<WorkflowDeps>())
  .step('start-domain', {
    title: 'Switching on',
    do: async (ctx) => {
      const placed = await placedServer(ctx);
      await defineAs(ctx.deps, placed, {});
      await ctx.deps.hypervisor.startDomain(placed.host, placed.server.domainUuid);
      return {};
    },
    commit: (manager, { params }) => observe(manager, params.serverId, 'running'),
    undo: look,
    undoTransact: writeSeen,
  })
  .build();
