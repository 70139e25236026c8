import { deps, saga } from '#libs/saga';
import { powerOffServerRequest } from '#libs/servers';
import { look, observe, placedServer, writeSeen } from './power-state.ts';
import type { WorkflowDeps } from './workflow-deps.ts';

/** Pulls the plug of a server. */
export const powerOffServer = saga(powerOffServerRequest, deps<WorkflowDeps>())
  .step('destroy-domain', {
    title: 'Switching off',
    do: async (ctx) => {
      const { server, host } = await placedServer(ctx);
      await ctx.deps.hypervisor.destroyDomain(host, server.domainUuid);
      return {};
    },
    commit: (manager, { params }) => observe(manager, params.serverId, 'off'),
    undo: look,
    undoTransact: writeSeen,
  })
  .build();
