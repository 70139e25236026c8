import { deps, saga } from '#libs/saga';
import { resetServerRequest } from '#libs/servers';
import { look, placedServer, writeSeen } from './power-state.ts';
import type { WorkflowDeps } from './workflow-deps.ts';

/** Presses the reset button. */
export const resetServer = saga(resetServerRequest, deps<WorkflowDeps>())
  .step('reset-domain', {
    title: 'Resetting',
    do: async (ctx) => {
      const { server, host } = await placedServer(ctx);
      await ctx.deps.hypervisor.resetDomain(host, server.domainUuid);
      return {};
    },
    undo: look,
    undoTransact: writeSeen,
  })
  .build();
