import { release } from '#libs/placement';
import { deps, saga } from '#libs/saga';
import { deleteVolumeRequest, volumeFileName } from '#libs/volumes';
import { hostOfVolume, loadVolume } from './volume-context.ts';
import type { WorkflowDeps } from './workflow-deps.ts';

/** Removes a volume that its owner does not see any more. Billing ended with the request. */
export const deleteVolume = saga(deleteVolumeRequest, deps<WorkflowDeps>())
  .pointOfNoReturn('its owner asked for the deletion, and it is no longer billed')
  .step('remove', {
    title: 'Deleting it',
    do: async ({ params, deps }) => {
      const { manager } = deps.dataSource;
      const volume = await loadVolume(manager, params.volumeId);
      const host = await hostOfVolume(manager, volume);
      if (host) await deps.hypervisor.deleteVolume(host, volumeFileName(volume));
      return {};
    },
    commit: (manager, { params }) => release(manager, params.volumeId),
    // Nobody can ask for it again; should its host come back, the reconciler deletes the file.
    whenGivenUp: { undoTransact: (manager, { params }) => release(manager, params.volumeId) },
  })
  .build();
