import { deps, saga } from '#libs/saga';
import { powerOnServerRequest } from '#libs/servers';
import { look, observe, placedServer, writeSeen } from './power-state.ts';
import type { WorkflowDeps } from './workflow-deps.ts';

/** Switches a server on and sees it running. */
export const powerOnServer = saga(powerOnServerRequest, deps<WorkflowDeps>())
  .step('start-domain', {
    title: 'Switching on',
    do: async (ctx) => {
      const { server, host } = await placedServer(ctx);
      await ctx.deps.hypervisor.startDomain(host, server.domainUuid);
      return {};
    },
    commit: (manager, { params }) => observe(manager, params.serverId, 'running'),
    undo: look,
    undoTransact: writeSeen,
  })
  .build();
