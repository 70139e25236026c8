import { deps, PermanentError, saga } from '#libs/saga';
import { resetPasswordRequest } from '#libs/servers';
import { placedServer } from './power-state.ts';
import type { WorkflowDeps } from './workflow-deps.ts';

/** Sets root's new password through the guest agent; a failed try leaves the old one and destroys the new one. */
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
    commit: (manager, { params, deps }) => deps.secrets.destroy(manager, params.serverId, 'pending_password'),
    undoTransact: (manager, { params, deps }) =>
      deps.secrets.destroy(manager, params.serverId, 'pending_password', 'root_password'),
  })
  .build();
