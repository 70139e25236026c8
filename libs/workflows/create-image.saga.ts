import { ImagesService } from '#libs/images';
import { deps, PermanentError, saga } from '#libs/saga';
import {
  billImage,
  createImageRequest,
  deleteImages,
  FrozenDisk,
  noteBackedUp,
  retryBackup,
  rotateBackups,
} from '#libs/servers';
import { forgetMemory, freeze, recordFrozen, unfreeze, volumesOf } from './freezing.ts';
import { placedServer } from './power-state.ts';
import type { WorkflowDeps } from './workflow-deps.ts';

/**
 * Makes an image of a server's disk, and of its memory on request, as it is at one moment. The disk is frozen under the
 * running guest, which goes on in an overlay on it; the layers are merged later, in the background.
 */
export const createImage = saga(createImageRequest, deps<WorkflowDeps>())
  .step('freeze-disk', {
    title: 'Freezing its disk',
    do: freeze,
    commit: (manager, ctx, { consistency }) => recordFrozen(manager, ctx, consistency),
    undo: async (ctx) => {
      await forgetMemory(ctx);
      return ctx.output ? { goesOn: false } : unfreeze(ctx);
    },
    undoTransact: async (manager, ctx, { goesOn }) => {
      if (goesOn) await recordFrozen(manager, ctx, 'crash');
      // Billed by now where its undoing was asked for while it was measured.
      await deleteImages(manager, [ctx.params.imageId]);
      await manager.query(`UPDATE images SET status = 'unavailable' WHERE id = $1`, [ctx.params.imageId]);
      await retryBackup(manager, ctx.params.imageId);
    },
  })
  .step('measure', {
    title: 'Measuring it',
    do: async (ctx) => {
      const { host } = await placedServer(ctx);
      const { frozenVolume, memoryVolume } = volumesOf(ctx);
      const volumes = await ctx.deps.hypervisor.listVolumes(host, 'disks');
      const found = volumes.find(({ name }) => name === frozenVolume);
      if (!found) throw new PermanentError('frozen_disk_gone', `disk ${frozenVolume} is not there any more`);
      const memory = volumes.find(
        ({ name }) => ctx.outputs['freeze-disk'].hasMemory && name === memoryVolume,
      );
      const memoryBytes = memory?.allocationBytes ?? null;
      const fileSizeBytes = found.allocationBytes + (memoryBytes ?? 0);
      return { fileSizeBytes, memoryBytes, virtualSizeBytes: found.capacityBytes };
    },
    commit: async (manager, ctx, sizes) => {
      const { imageId, frozenDiskId } = ctx.params;
      const { hostId } = await manager.getRepository(FrozenDisk).findOneByOrFail({ id: frozenDiskId });
      await manager.query(
        `UPDATE images SET status = 'available', frozen_disk_id = $2, file_size_bytes = $3, virtual_size_bytes = $4,
                           memory_bytes = $5, created_at = (SELECT frozen_at FROM frozen_disks WHERE id = $2)
         WHERE id = $1`,
        [imageId, frozenDiskId, sizes.fileSizeBytes, sizes.virtualSizeBytes, sizes.memoryBytes],
      );
      if (sizes.memoryBytes !== null) {
        const { memoryVolume } = volumesOf(ctx);
        const noted = [frozenDiskId, memoryVolume];
        await manager.query('UPDATE frozen_disks SET memory_volume_name = $2 WHERE id = $1', noted);
      }
      if (hostId !== null)
        await new ImagesService(ctx.deps.dataSource).recordOnHost(manager, imageId, hostId);
      await billImage(manager, imageId);
      await noteBackedUp(manager, imageId);
      await rotateBackups(manager, imageId);
    },
    noUndo: 'nothing was made',
  })
  .build();
