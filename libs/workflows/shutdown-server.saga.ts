import { deps, saga } from '#libs/saga';
import { shutdownServerRequest } from '#libs/servers';
import { look, observe, placedServer, writeSeen } from './power-state.ts';
import type { WorkflowDeps } from './workflow-deps.ts';

/** A guest that has not gone down by then does not listen to its power button. */
const DEADLINE_SECONDS = 180;

/** Presses the power button and waits until the guest has gone down by itself. */
export const shutdownServer = saga(shutdownServerRequest, deps<WorkflowDeps>())
  .step('press-power-button', {
    title: 'Pressing the power button',
    do: async (ctx) => {
      const { server, host } = await placedServer(ctx);
      await ctx.deps.hypervisor.shutdownDomain(host, server.domainUuid);
      return {};
    },
    undo: look,
    undoTransact: writeSeen,
  })
  .wait('down', {
    title: 'Waiting for the guest to go down',
    deadlineSeconds: DEADLINE_SECONDS,
    everySeconds: 2,
    check: async (ctx) => {
      const { server, host } = await placedServer(ctx);
      return (await ctx.deps.hypervisor.domainState(host, server.domainUuid)) === 'off' ? {} : undefined;
    },
    commit: (manager, { params }) => observe(manager, params.serverId, 'off'),
    noUndo: 'only looks',
  })
  .build();
