import { isHypervisorError } from '#libs/hypervisor';
import { deps, type StepContext, saga } from '#libs/saga';
import { beginSuspension, noteSuspended, standingOf, suspendServerRequest } from '#libs/servers';
import { look, observe, type PowerState, placedServer } from './power-state.ts';
import { isSuspending, setNetwork } from './suspension.ts';
import type { WorkflowDeps } from './workflow-deps.ts';

/** A guest that has not gone down by then loses its power. */
const GRACE_SECONDS = 60;
const DEADLINE_SECONDS = 3600;

/**
 * Takes a server off the network and switches it off, for as long as anything stands against its account. What it did
 * is remembered first, so that `resume-server` can make it do that again. Nothing where nothing stands any more.
 */
export const suspendServer = saga(suspendServerRequest, deps<WorkflowDeps>())
  .pointOfNoReturn('what it is suspended for stands; when that is lifted, resume-server brings it back')
  .step('remember-power', {
    title: 'Noting whether it runs',
    do: async (ctx) => {
      const standing = await standingOf(ctx.deps.dataSource.manager, ctx.params.serverId);
      const isWanted = standing?.wanted === 'suspended' || standing?.wanted === 'retired';
      return { power: isWanted ? await powerToResume(ctx) : null };
    },
    commit: async (manager, { params }, { power }) => {
      if (power) await beginSuspension(manager, params.serverId, power);
    },
  })
  .step('close-network', {
    title: 'Closing its network',
    do: async (ctx) => {
      if (isSuspending(ctx)) await setNetwork(ctx, 'closed');
      return {};
    },
  })
  .step('press-power-button', {
    title: 'Pressing the power button',
    do: async (ctx) => {
      const pressedAt = new Date().toISOString();
      if (ctx.outputs['remember-power'].power !== 'running') return { pressedAt };
      const { server, host } = await placedServer(ctx);
      await ctx.deps.hypervisor.shutdownDomain(host, server.domainUuid).catch((error: unknown) => {
        if (!isHypervisorError(error, 'domain_missing')) throw error;
      });
      return { pressedAt };
    },
  })
  .wait('down', {
    title: 'Waiting for the guest to go down',
    deadlineSeconds: DEADLINE_SECONDS,
    everySeconds: 2,
    check: async (ctx) => {
      if (!isSuspending(ctx) || (await look(ctx)) === 'off') return {};
      const waitedMs = Date.now() - Date.parse(ctx.outputs['press-power-button'].pressedAt);
      return waitedMs > GRACE_SECONDS * 1000 ? {} : undefined;
    },
  })
  .step('power-off', {
    title: 'Switching off',
    do: async (ctx) => {
      if (!isSuspending(ctx)) return {};
      const { server, host } = await placedServer(ctx);
      await ctx.deps.hypervisor.destroyDomain(host, server.domainUuid);
      return {};
    },
    commit: async (manager, ctx) => {
      if (!isSuspending(ctx)) return;
      await noteSuspended(manager, ctx.params.serverId);
      await observe(manager, ctx.params.serverId, 'off');
    },
  })
  .build();

/** What it does now, or did until its host went down: the reconciler starts nothing again that is suspended. */
async function powerToResume(
  ctx: Pick<StepContext<{ serverId: number }, unknown, WorkflowDeps>, 'params' | 'deps'>,
): Promise<PowerState> {
  const { server, host } = await placedServer(ctx);
  if ((await look(ctx)) === 'running') return 'running';
  if (server.observed !== 'running') return 'off';
  const domains = await ctx.deps.hypervisor.listDomains(host);
  return domains.some(({ uuid, wasCutOff }) => uuid === server.domainUuid && wasCutOff) ? 'running' : 'off';
}
