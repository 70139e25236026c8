import { closeServer } from '#libs/billing';
import { release } from '#libs/placement';
import { deps, saga } from '#libs/saga';
import { billVolume, blockVolumeSpec, createVolumeRequest, volumeFileName } from '#libs/volumes';
import { hostOfVolume, loadVolume, needHost } from './volume-context.ts';
import type { WorkflowDeps } from './workflow-deps.ts';

/** Makes a volume where it has got its room; it is billed from then on. */
export const createVolume = saga(createVolumeRequest, deps<WorkflowDeps>())
  .step('make', {
    title: 'Making the volume',
    do: async (ctx) => {
      const volume = await loadVolume(ctx.deps.dataSource.manager, ctx.params.volumeId);
      await ctx.deps.hypervisor.createVolume(await needHost(ctx), blockVolumeSpec(volume));
      return {};
    },
    commit: async (manager, { params }) => {
      await manager.query(`UPDATE volumes SET status = 'available' WHERE id = $1`, [params.volumeId]);
      await billVolume(manager, await loadVolume(manager, params.volumeId));
    },
    undo: async ({ params, deps }) => {
      const { manager } = deps.dataSource;
      const host = await hostOfVolume(manager, await loadVolume(manager, params.volumeId));
      if (host)
        await deps.hypervisor.deleteVolume(host, volumeFileName({ id: params.volumeId, copyId: null }));
    },
    undoTransact: async (manager, { params }) => {
      await closeServer(manager, params.volumeId);
      await release(manager, params.volumeId);
      await manager.query('UPDATE volumes SET deleted_at = coalesce(deleted_at, now()) WHERE id = $1', [
        params.volumeId,
      ]);
    },
  })
  .build();
