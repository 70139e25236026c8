import { generateSshKeyPair } from '#libs/accounts';
import { deps, saga } from '#libs/saga';
import { enableRescueRequest, noteEnabled, rescueSeedName, rescueVolumeName } from '#libs/servers';
import { placedServer } from './power-state.ts';
import { removingEndedRescues, rescueOf, writeRescueSeed } from './rescue-context.ts';
import { baseOf } from './server-context.ts';
import type { WorkflowDeps } from './workflow-deps.ts';

/**
 * Makes a rescue system for a server, on a disk of its own. The server goes on as it is; `switch-system` starts it from
 * there when its next boot is asked for.
 */
export const enableRescue = saga(enableRescueRequest, deps<WorkflowDeps>())
  .step('clone-disk', {
    title: 'Making a disk of the rescue system',
    do: async (ctx) => {
      const { host } = await placedServer(ctx);
      const { rescue, image } = await rescueOf(ctx);
      await ctx.deps.hypervisor.createOverlay(host, {
        volumeName: rescueVolumeName(rescue),
        base: await baseOf(ctx.deps.dataSource.manager, image),
        sizeGib: image.appliance.minimumDiskGib,
      });
      return {};
    },
    undo: async (ctx) => {
      const { host } = await placedServer(ctx);
      await ctx.deps.hypervisor.deleteVolume(host, rescueVolumeName({ id: ctx.params.rescueId }));
    },
    // Also what the request left.
    undoTransact: async (manager, { params, deps }) => {
      await deps.secrets.destroy(manager, params.serverId, 'rescue_password');
      await manager.query('UPDATE rescues SET ended_at = now(), removed_at = now() WHERE id = $1', [
        params.rescueId,
      ]);
    },
  })
  .step('make-identity', {
    title: 'Making its SSH identity',
    transact: async (manager, { params, deps }) => {
      const { publicKey, privateKey } = generateSshKeyPair();
      await deps.secrets.put(manager, params.serverId, 'rescue_host_key', privateKey);
      await manager.query('UPDATE rescues SET host_key = $2 WHERE id = $1', [params.rescueId, publicKey]);
      return {};
    },
    undoTransact: (manager, { params, deps }) =>
      deps.secrets.destroy(manager, params.serverId, 'rescue_host_key'),
  })
  .step('write-seed', {
    title: 'Writing its first-boot seed',
    do: async (ctx) => {
      await writeRescueSeed(ctx);
      return {};
    },
    undo: async (ctx) => {
      const { host } = await placedServer(ctx);
      const seed = rescueSeedName({ id: ctx.params.rescueId });
      await ctx.deps.hypervisor.deleteVolume(host, seed, { wipe: true });
    },
  })
  .pointOfNoReturn('the next boot is from it, in place of what waited before', 'take_back')
  .step('enable', {
    title: 'Choosing it for the next boot',
    transact: async (manager, { params, deps }) => {
      await deps.secrets.destroy(manager, params.serverId, 'rescue_password', 'rescue_host_key');
      await noteEnabled(manager, { id: params.rescueId, serverId: params.serverId });
      return {};
    },
  })
  .step('remove-former', removingEndedRescues)
  .build();
