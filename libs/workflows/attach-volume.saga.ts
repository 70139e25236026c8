import type { EntityManager } from 'typeorm';
import { areReachedTogether, release, reserve } from '#libs/placement';
import { deps, PermanentError, type StepContext, saga } from '#libs/saga';
import {
  attachedVolume,
  attachVolumeRequest,
  noteAttached,
  noteDetached,
  type Volume,
  volumeFileName,
} from '#libs/volumes';
import { loadServer } from './server-context.ts';
import {
  BRINGING_TIMEOUT_SECONDS,
  bringVolume,
  leaveBehind,
  noteBrought,
  stopBringing,
} from './volume-bringing.ts';
import { attachment, loadVolume, placedAttachment } from './volume-context.ts';
import { mountInGuest } from './volume-mounting.ts';
import type { WorkflowDeps } from './workflow-deps.ts';

interface Params {
  readonly volumeId: number;
  readonly serverId: number;
  readonly slot: number;
  readonly automount: boolean;
}

type Context = Pick<StepContext<Params, unknown, WorkflowDeps>, 'params' | 'sagaId'>;

/** A volume may be asked for together with the server that gets it. */
const MAKING_DEADLINE_SECONDS = 3600;
/** Volumes that are copied at once, on all workers: a copy holds a worker for long, and others want to be served. */
const COPIES_AT_ONCE = 2;
const TURN_DEADLINE_SECONDS = 24 * 3600;

/**
 * Gives a volume to a server. One that lies elsewhere is brought to the server's host first: its room there is taken
 * before its data is copied, and what it was copied from is deleted when the copy is whole and recorded.
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
  .wait('take-room', {
    title: 'Taking room for it',
    deadlineSeconds: TURN_DEADLINE_SECONDS,
    everySeconds: 2,
    transact: takeRoom,
    undoTransact: (manager, { sagaId }) => release(manager, sagaId),
  })
  .step('bring', {
    title: 'Bringing it to the host of the server',
    timeoutSeconds: BRINGING_TIMEOUT_SECONDS,
    do: async (ctx) => {
      const { volume, host } = await placedAttachment(ctx);
      return bringVolume(ctx, volume, host);
    },
    commit: async (manager, ctx, brought) => {
      const { volume, host } = await placedAttachment(ctx);
      await noteBrought(manager, volume, host, brought, ctx.sagaId);
    },
    undo: async (ctx) => {
      const { volume, host } = await attachment(ctx);
      await stopBringing(ctx, volume, host, ctx.output);
    },
  })
  .step('make', {
    title: 'Clearing up where it was',
    do: async (ctx) => {
      await leaveBehind(ctx, ctx.outputs.bring);
      return {};
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

/**
 * On the host of the server, in the name of the workflow: the volume keeps its own until it has left. Not yet, as long as
 * others are being copied and it would have to be as well.
 * @throws PermanentError `server_not_placed`; DomainError `resource_unavailable`
 */
async function takeRoom(manager: EntityManager, { params, sagaId }: Context) {
  const volume = await loadVolume(manager, params.volumeId);
  const { server } = await loadServer(manager, params.serverId);
  const { hostId } = server;
  if (hostId === null) throw new PermanentError('server_not_placed', `server ${server.id} has no host`);
  if (hostId === volume.hostId) return {};
  if (volume.hasData && !(await isItsTurn(manager, volume, hostId))) return undefined;
  const { sizeGib: diskGib, locationId } = volume;
  const demand = { vcpus: 0, memoryMib: 0, diskGib, imageId: null, locationId };
  await reserve(manager, { ...demand, serverId: sagaId, hostId });
  return {};
}

/** Who has taken room, and not passed it on yet, is copying. */
async function isItsTurn(manager: EntityManager, volume: Volume, hostId: number): Promise<boolean> {
  if (volume.hostId !== null && (await areReachedTogether(manager, [volume.hostId, hostId]))) return true;
  await manager.query(`SELECT pg_advisory_xact_lock(hashtext('turn of volumes'))`);
  const [row] = await manager.query<{ copying: number }[]>(
    `SELECT count(*)::int AS copying FROM reservations r JOIN sagas g ON g.id = r.server_id
     WHERE g.state IN ('running', 'undoing')`,
  );
  return (row?.copying ?? 0) < COPIES_AT_ONCE;
}
