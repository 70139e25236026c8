import { isHypervisorError } from '#libs/hypervisor';
import { deps, PermanentError, type StepContext, saga } from '#libs/saga';
import { resetPasswordRequest } from '#libs/servers';
import { settlePassword } from './first-boot.ts';
import { placedServer } from './power-state.ts';
import type { WorkflowDeps } from './workflow-deps.ts';

/**
 * Sets root's new password through the guest agent. A failed try leaves the former one, also where it still waits for its
 * owner, and destroys the new one.
 */
export const resetPassword = saga(resetPasswordRequest, deps<WorkflowDeps>())
  .step('set-password', {
    title: 'Setting the new password',
    do: async (ctx) => {
      const { server, host } = await placedServer(ctx);
      const password = await ctx.deps.secrets.read(
        ctx.deps.dataSource.manager,
        server.id,
        'pending_password',
      );
      if (password === undefined) throw new PermanentError('password_missing', 'the new password is gone');
      await ctx.deps.hypervisor.agentSetPassword(host, server.domainUuid, 'root', password);
      return {};
    },
    commit: async (manager, { params: { serverId, delivery }, deps }) => {
      if (delivery !== undefined) await settlePassword(manager, deps, serverId, delivery);
      await deps.secrets.destroy(manager, serverId, 'pending_password');
    },
    undo: putFormerBack,
    undoTransact: async (manager, { params: { serverId, delivery }, deps }) => {
      await deps.secrets.destroy(manager, serverId, 'pending_password');
      if (delivery === undefined) await deps.secrets.destroy(manager, serverId, 'root_password');
    },
  })
  .build();

type Context = Parameters<typeof placedServer>[0] & Pick<StepContext<unknown, unknown, WorkflowDeps>, 'deps'>;

/** What its owner has yet to see must be what opens it, though a try that failed may have set the new one. */
async function putFormerBack(ctx: Context): Promise<void> {
  const { server, host } = await placedServer(ctx);
  const { secrets, hypervisor, dataSource } = ctx.deps;
  const former = await secrets.read(dataSource.manager, server.id, 'root_password');
  if (!former) return;
  await hypervisor.agentSetPassword(host, server.domainUuid, 'root', former).catch((error: unknown) => {
    // It has not heard of the new one either.
    if (!isHypervisorError(error, 'agent_not_answering', 'agent_refused', 'domain_not_running')) throw error;
  });
}
