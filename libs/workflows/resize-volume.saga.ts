import type { EntityManager } from 'typeorm';
import { resizeVolume as billSize } from '#libs/billing';
import { changeReservation } from '#libs/placement';
import { deps, saga } from '#libs/saga';
import { resizeVolumeRequest, volumeFileName } from '#libs/volumes';
import { loadServer } from './server-context.ts';
import { loadVolume, needHost } from './volume-context.ts';
import type { WorkflowDeps } from './workflow-deps.ts';

/** Makes a volume larger, under a guest that writes to it or not. Its room was reserved with the request. */
export const resizeVolume = saga(resizeVolumeRequest, deps<WorkflowDeps>())
  .pointOfNoReturn('a disk does not shrink')
  .step('grow', {
    title: 'Making it larger',
    do: async (ctx) => {
      const { volumeId, serverId, sizeGib } = ctx.params;
      const host = await needHost(ctx);
      const had =
        serverId === null
          ? {}
          : { domainUuid: (await loadServer(ctx.deps.dataSource.manager, serverId)).server.domainUuid };
      const volumeName = volumeFileName(await loadVolume(ctx.deps.dataSource.manager, volumeId));
      await ctx.deps.hypervisor.growVolume(host, { volumeName, sizeGib, ...had });
      return {};
    },
    commit: async (manager, { params: { volumeId, sizeGib } }) => {
      await manager.query('UPDATE volumes SET size_gib = $2 WHERE id = $1', [volumeId, sizeGib]);
      await billSize(manager, volumeId, sizeGib);
    },
    whenGivenUp: { undoTransact: (manager, { params }) => keepKnownRoom(manager, params.volumeId) },
  })
  .build();

/** What is not known to have grown has the room that it had. */
async function keepKnownRoom(manager: EntityManager, volumeId: number): Promise<void> {
  const { hostId, sizeGib } = await loadVolume(manager, volumeId);
  if (hostId !== null)
    await changeReservation(manager, volumeId, { vcpus: 0, memoryMib: 0, diskGib: sizeGib });
}
