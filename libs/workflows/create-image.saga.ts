import type { EntityManager } from 'typeorm';
import { ImagesService } from '#libs/images';
import { deps, PermanentError, type StepContext, saga } from '#libs/saga';
import {
  billImage,
  createImageRequest,
  diskVolumeName,
  FrozenDisk,
  recordFreeze,
  retryBackup,
  rotateBackups,
} from '#libs/servers';
import { placedServer } from './power-state.ts';
import { loadServer } from './server-context.ts';
import { switchDisk } from './switch-disk.ts';
import type { WorkflowDeps } from './workflow-deps.ts';

interface Params {
  readonly serverId: number;
  readonly imageId: number;
  readonly frozenDiskId: number;
  readonly generation: number;
}

type Context = Pick<StepContext<Params, unknown, WorkflowDeps>, 'params' | 'deps'>;

/**
 * Makes an image of a server's disk as it is at one moment. The disk is frozen under the running guest, which goes on in
 * an overlay on it; the layers are merged later, in the background.
 */
export const createImage = saga(createImageRequest, deps<WorkflowDeps>())
  .step('freeze-disk', {
    title: 'Freezing its disk',
    do: async (ctx) => {
      const { host, server } = await placedServer(ctx);
      const { consistency } = await ctx.deps.hypervisor.freezeDisk(host, server.domainUuid, volumesOf(ctx));
      await goOn(ctx);
      return { consistency };
    },
    commit: (manager, ctx, { consistency }) => record(manager, ctx, consistency),
    undo: async (ctx) => {
      if (ctx.output) return { goesOn: false };
      const { host, server } = await placedServer(ctx);
      const { nextVolume } = volumesOf(ctx);
      const domains = await ctx.deps.hypervisor.listDomains(host);
      const goesOn = domains.some(
        ({ uuid, volumes }) => uuid === server.domainUuid && volumes.includes(nextVolume),
      );
      if (goesOn) await goOn(ctx);
      else await ctx.deps.hypervisor.deleteVolume(host, nextVolume);
      return { goesOn };
    },
    // A domain that has gone over to the overlay stays there: what is beneath it is merged and removed later.
    undoTransact: async (manager, ctx, { goesOn }) => {
      if (goesOn) await record(manager, ctx, 'crash');
      await manager.query(
        `UPDATE images SET status = 'unavailable', deleted_at = coalesce(deleted_at, now()) WHERE id = $1`,
        [ctx.params.imageId],
      );
      await retryBackup(manager, ctx.params.imageId);
    },
  })
  .step('measure', {
    title: 'Measuring it',
    do: async (ctx) => {
      const { host } = await placedServer(ctx);
      const { frozenVolume } = volumesOf(ctx);
      const volumes = await ctx.deps.hypervisor.listVolumes(host, 'disks');
      const found = volumes.find(({ name }) => name === frozenVolume);
      if (!found) throw new PermanentError('frozen_disk_gone', `disk ${frozenVolume} is not there any more`);
      return { fileSizeBytes: found.allocationBytes, virtualSizeBytes: found.capacityBytes };
    },
    commit: async (manager, ctx, sizes) => {
      const { imageId, frozenDiskId } = ctx.params;
      const { hostId } = await manager.getRepository(FrozenDisk).findOneByOrFail({ id: frozenDiskId });
      await manager.query(
        `UPDATE images SET status = 'available', frozen_disk_id = $2, file_size_bytes = $3, virtual_size_bytes = $4,
                           created_at = (SELECT frozen_at FROM frozen_disks WHERE id = $2)
         WHERE id = $1`,
        [imageId, frozenDiskId, sizes.fileSizeBytes, sizes.virtualSizeBytes],
      );
      await new ImagesService(ctx.deps.dataSource).recordOnHost(manager, imageId, hostId);
      await billImage(manager, imageId);
      await rotateBackups(manager, imageId);
    },
    noUndo: 'nothing was made',
  })
  .build();

function volumesOf({ params: { serverId: id, generation } }: Pick<Context, 'params'>) {
  return {
    frozenVolume: diskVolumeName({ id, generation: generation - 1 }),
    nextVolume: diskVolumeName({ id, generation }),
  };
}

/** The domain has the overlay for good. */
async function goOn(ctx: Context): Promise<void> {
  await switchDisk(ctx.deps, await placedServer(ctx), ctx.params.generation);
}

async function record(
  manager: EntityManager,
  { params }: Pick<Context, 'params'>,
  consistency: FrozenDisk['consistency'],
): Promise<void> {
  const { server } = await loadServer(manager, params.serverId);
  await recordFreeze(manager, server, {
    id: params.frozenDiskId,
    consistency,
    nextGeneration: params.generation,
  });
}
