import { deps, saga } from '#libs/saga';
import { detachVolumeRequest, noteDetached, volumeFileName } from '#libs/volumes';
import { attachment } from './volume-context.ts';
import { unmountInGuest } from './volume-mounting.ts';
import type { WorkflowDeps } from './workflow-deps.ts';

/** Takes a volume from its server, with all that is on it. */
export const detachVolume = saga(detachVolumeRequest, deps<WorkflowDeps>())
  .pointOfNoReturn('what the guest has unmounted is not its own any more')
  .step('unmount', {
    title: 'Having the guest let go of it',
    do: async (ctx) => ({ unmounted: await unmountInGuest(ctx) }),
  })
  .step('unplug', {
    title: 'Unplugging it',
    do: async (ctx) => {
      const { volume, server, host } = await attachment(ctx);
      if (host) await ctx.deps.hypervisor.detachVolume(host, server.domainUuid, volumeFileName(volume));
      return {};
    },
    commit: (manager, { params }) => noteDetached(manager, params.volumeId),
  })
  .build();
