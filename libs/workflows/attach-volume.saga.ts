import type { EntityManager } from 'typeorm';
import { release, reserve } from '#libs/placement';
import { deps, PermanentError, type StepContext, saga } from '#libs/saga';
import {
  attachedVolume,
  attachVolumeRequest,
  blockVolumeSpec,
  noteAttached,
  noteDetached,
  volumeFileName,
} from '#libs/volumes';
import { attachment, hostOfVolume, loadVolume, placedAttachment } from './volume-context.ts';
import { mountInGuest } from './volume-mounting.ts';
import type { WorkflowDeps } from './workflow-deps.ts';

interface Params {
  readonly volumeId: number;
  readonly serverId: number;
  readonly slot: number;
  readonly automount: boolean;
}

type Context = StepContext<Params, unknown, WorkflowDeps>;

/** A volume may be asked for together with the server that gets it. */
const MAKING_DEADLINE_SECONDS = 3600;

/**
 * Gives a volume to a server. One that no server had yet is made anew at the server's host, should it be elsewhere; one
 * with data stays where it is, and is reached by hosts that share that storage alone.
 */
export const attachVolume = saga(attachVolumeRequest, deps<WorkflowDeps>())
  .wait('made', {
    title: 'Waiting for the volume',
    deadlineSeconds: MAKING_DEADLINE_SECONDS,
    everySeconds: 1,
    check: async ({ deps, params }) => {
      const { status, deletedAt } = await loadVolume(deps.dataSource.manager, params.volumeId);
      if (deletedAt) throw new PermanentError('volume_gone', `there is no volume ${params.volumeId}`);
      return status === 'available' ? {} : undefined;
    },
    noUndo: 'only looks',
  })
  .step('bring', {
    title: 'Bringing it to the host of the server',
    do: bring,
    commit: (manager, ctx, { moves }) => moveRoom(manager, ctx, moves),
    undo: async (ctx) => {
      const { manager } = ctx.deps.dataSource;
      const volume = await loadVolume(manager, ctx.params.volumeId);
      const host = await hostOfVolume(manager, volume);
      if (host && !volume.hasData && !volume.deletedAt) {
        await ctx.deps.hypervisor.createVolume(host, blockVolumeSpec(volume));
      }
    },
  })
  .step('make', {
    title: 'Making it there',
    do: async (ctx) => {
      const { volume, host } = await placedAttachment(ctx);
      if (!volume.hasData) await ctx.deps.hypervisor.createVolume(host, blockVolumeSpec(volume));
      return {};
    },
    commit: async (manager, { params }) => {
      await manager.query('UPDATE volumes SET has_data = true WHERE id = $1', [params.volumeId]);
    },
    noUndo: 'it is as good there as where it was',
  })
  .step('plug', {
    title: 'Plugging it in',
    do: async (ctx) => {
      const { volume, server, host } = await placedAttachment(ctx);
      const plugged = attachedVolume(volume, ctx.params.slot);
      await ctx.deps.hypervisor.attachVolume(host, server.domainUuid, plugged);
      return {};
    },
    commit: (manager, { params }) => noteAttached(manager, params),
    undo: async (ctx) => {
      const { volume, server, host } = await attachment(ctx);
      if (host) await ctx.deps.hypervisor.detachVolume(host, server.domainUuid, volumeFileName(volume));
    },
    undoTransact: (manager, { params }) => noteDetached(manager, params.volumeId),
  })
  .step('mount', {
    title: 'Mounting it',
    do: async (ctx) => ({ mounted: ctx.params.automount && (await mountInGuest(ctx)) }),
    noUndo: 'a guest forgets what it has mounted when that is unplugged, and boots without it',
  })
  .build();

/** @throws PermanentError `volume_out_of_reach` */
async function bring(ctx: Context): Promise<{ readonly moves: boolean }> {
  const { volume, server, host } = await placedAttachment(ctx);
  const { hypervisor, dataSource } = ctx.deps;
  if (volume.hostId === server.hostId) return { moves: false };
  const volumeName = volumeFileName(volume);
  const shown = await hypervisor.listVolumes(host, 'disks');
  if (shown.some(({ name }) => name === volumeName)) return { moves: true };
  if (volume.hasData) {
    const message = 'the volume has data on a host whose storage the host of this server does not reach';
    throw new PermanentError('volume_out_of_reach', message);
  }
  const former = await hostOfVolume(dataSource.manager, volume);
  if (former) await hypervisor.deleteVolume(former, volumeName);
  return { moves: true };
}

/** @throws DomainError `resource_unavailable` */
async function moveRoom(manager: EntityManager, ctx: Context, moves: boolean): Promise<void> {
  if (!moves) return;
  const { volumeId } = ctx.params;
  const { sizeGib, locationId } = await loadVolume(manager, volumeId);
  const { host } = await placedAttachment(ctx);
  await release(manager, volumeId);
  const demand = { vcpus: 0, memoryMib: 0, diskGib: sizeGib, imageId: null, locationId };
  await reserve(manager, { ...demand, serverId: volumeId, hostId: host.id });
  await manager.query('UPDATE volumes SET host_id = $2 WHERE id = $1', [volumeId, host.id]);
}
