import { isHypervisorError } from '#libs/hypervisor';
import { deps, PermanentError, saga } from '#libs/saga';
import { openNetworkRequest } from '#libs/servers';
import { publishAccess, withdrawAccess } from './access.ts';
import { LET_TIMERS_GO } from './new-machine-boot.ts';
import { placedServer } from './power-state.ts';
import type { WorkflowDeps } from './workflow-deps.ts';

const TIMERS_TIMEOUT_SECONDS = 60;

/** Opens a server's network for good, shows its ports, and lets the timers go that were held in it. */
export const openNetwork = saga(openNetworkRequest, deps<WorkflowDeps>())
  .step('open-network', {
    title: 'Opening its network',
    do: async (ctx) => {
      const { host, server } = await placedServer(ctx);
      await ctx.deps.hypervisor.setNetwork(host, server.domainUuid, 'open');
      return {};
    },
    commit: async (manager, { params }) => {
      await manager.query(`UPDATE servers SET network = 'open' WHERE id = $1`, [params.serverId]);
    },
    undo: async (ctx) => {
      const { host, server } = await placedServer(ctx);
      await ctx.deps.hypervisor
        .setNetwork(host, server.domainUuid, ctx.params.from)
        .catch((error: unknown) => {
          if (!isHypervisorError(error, 'domain_missing')) throw error;
        });
    },
    undoTransact: async (manager, { params }) => {
      await manager.query('UPDATE servers SET network = $2 WHERE id = $1', [params.serverId, params.from]);
    },
  })
  .step('publish-access', {
    title: 'Opening its ports',
    do: async (ctx) => {
      const { image, address } = await placedServer(ctx);
      return { access: await publishAccess(ctx.deps.access, image, address) };
    },
    commit: async (manager, { params }, { access }) => {
      await manager.query('UPDATE servers SET access = $2 WHERE id = $1', [
        params.serverId,
        JSON.stringify(access),
      ]);
    },
    undo: async (ctx) => {
      if (ctx.params.from !== 'closed') return;
      const { address } = await placedServer(ctx);
      await withdrawAccess(ctx.deps.access, address);
    },
    undoTransact: async (manager, { params }) => {
      if (params.from !== 'closed') return;
      await manager.query(`UPDATE servers SET access = '[]' WHERE id = $1`, [params.serverId]);
    },
  })
  .step('let-timers-go', {
    title: 'Letting cron and timers go',
    do: async (ctx) => {
      const { host, server } = await placedServer(ctx);
      if (!server.holdsTimers) return {};
      const argv = ['/bin/sh', '-c', LET_TIMERS_GO] as const;
      const options = { timeoutSeconds: TIMERS_TIMEOUT_SECONDS };
      const { exitCode } = await ctx.deps.hypervisor.agentExec(host, server.domainUuid, [...argv], options);
      if (exitCode === 0) return {};
      throw new PermanentError(
        'timers_held',
        `the guest could not let its timers go (exit code ${exitCode})`,
      );
    },
    commit: async (manager, { params }) => {
      await manager.query('UPDATE servers SET holds_timers = false WHERE id = $1', [params.serverId]);
    },
    noUndo: 'what has begun to run cannot be called back; the next try lets the rest go',
  })
  .build();
