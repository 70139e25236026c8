import { deps, saga } from '#libs/saga';
import { rebootServerRequest } from '#libs/servers';
import { look, placedServer, writeSeen } from './power-state.ts';
import type { WorkflowDeps } from './workflow-deps.ts';

/** Asks the guest to reboot. */
export const rebootServer = saga(rebootServerRequest, deps<WorkflowDeps>())
  .step('reboot-domain', {
    title: 'Rebooting',
    do: async (ctx) => {
      const { server, host } = await placedServer(ctx);
      await ctx.deps.hypervisor.rebootDomain(host, server.domainUuid);
      return {};
    },
    undo: look,
    undoTransact: writeSeen,
  })
  .build();
