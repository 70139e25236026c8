import type { EntityManager } from 'typeorm';
import { isHypervisorError } from '#libs/hypervisor';
import { Image, ImagesService } from '#libs/images';
import { deps, PermanentError, type StepContext, saga } from '#libs/saga';
import { diskVolumeName, FrozenDisk, recordRollBack, rollBackServerRequest } from '#libs/servers';
import { publishAccess, withdrawAccess } from './access.ts';
import { look, observe, placedServer, writeSeen } from './power-state.ts';
import { baseOf, loadServer } from './server-context.ts';
import { switchDisk } from './switch-disk.ts';
import type { WorkflowDeps } from './workflow-deps.ts';

/** What a server leaves behind when it is rolled back is kept for so long. */
const KEPT_HOURS = 24;
/** For what the guest has not written yet, so that what is kept has all that it knew. */
const SYNC_TIMEOUT_SECONDS = 30;

interface Params {
  readonly serverId: number;
  readonly imageId: number;
  readonly keptImageId: number;
  readonly frozenDiskId: number;
  readonly generation: number;
  readonly power: 'running' | 'off';
}

type Context = Pick<StepContext<Params, unknown, WorkflowDeps>, 'params' | 'deps'>;

/**
 * Puts a server back to what was frozen of its disk, in place: its machine, address and name stay, and its system knows
 * itself by what it was then, for no first boot comes again. The present disk is set aside untouched, so that a failure
 * at any step ends with the server going on from it, and so that the roll back itself can be rolled back.
 */
export const rollBackServer = saga(rollBackServerRequest, deps<WorkflowDeps>())
  .step('clone-disk', {
    title: 'Making a disk of the snapshot',
    do: async (ctx) => {
      const { host, type } = await placedServer(ctx);
      const { image } = await targetOf(ctx);
      await ctx.deps.hypervisor.createOverlay(host, {
        volumeName: nextVolume(ctx),
        base: await baseOf(ctx.deps.dataSource.manager, image),
        sizeGib: type.diskGib,
      });
      return {};
    },
    undo: async (ctx) => {
      const { host } = await placedServer(ctx);
      await ctx.deps.hypervisor.deleteVolume(host, nextVolume(ctx));
      return look(ctx);
    },
    undoTransact: async (manager, ctx, seen) => {
      await manager.query(
        `UPDATE images SET status = 'unavailable', deleted_at = coalesce(deleted_at, now()) WHERE id = $1`,
        [ctx.params.keptImageId],
      );
      await writeSeen(manager, ctx, seen);
    },
  })
  .step('stop-domain', {
    title: 'Stopping it',
    do: async (ctx) => {
      const { host, server } = await placedServer(ctx);
      await sync(ctx);
      await ctx.deps.hypervisor.destroyDomain(host, server.domainUuid);
      return {};
    },
    undo: startIfWanted,
  })
  .step('switch-disk', {
    title: 'Switching to the disk of the snapshot',
    do: async (ctx) => {
      const placed = await placedServer(ctx);
      const { devices } = (await targetOf(ctx)).image;
      await switchDisk(ctx.deps, { ...placed, server: { ...placed.server, devices } }, ctx.params.generation);
      await startIfWanted(ctx);
      return {};
    },
    undo: async (ctx) => {
      const placed = await placedServer(ctx);
      await ctx.deps.hypervisor.destroyDomain(placed.host, placed.server.domainUuid);
      await switchDisk(ctx.deps, placed, placed.server.generation);
    },
  })
  .step('hand-over', {
    title: 'Handing it over',
    do: async (ctx) => {
      const { hypervisor, access } = ctx.deps;
      const { host, server, image, address } = await placedServer(ctx);
      const { restored } = await targetOf(ctx);
      const volumes = await hypervisor.listVolumes(host, 'disks');
      const setAside = volumes.find(({ name }) => name === diskVolumeName(server));
      if (!setAside) throw new PermanentError('disk_gone', `the disk of server ${server.id} is not there`);
      if (restored.id !== image.id) await withdrawAccess(access, image, address);
      return {
        sizeBytes: setAside.allocationBytes,
        access: await publishAccess(access, restored, address),
      };
    },
    commit: async (manager, ctx, output) => handOver(manager, ctx, output),
    undo: async (ctx) => {
      const { image, address } = await placedServer(ctx);
      const { restored } = await targetOf(ctx);
      if (restored.id !== image.id) await withdrawAccess(ctx.deps.access, restored, address);
      return { access: await publishAccess(ctx.deps.access, image, address) };
    },
    undoTransact: (manager, { params }, { access }) => show(manager, params.serverId, access),
  })
  .build();

function nextVolume({ params: { serverId: id, generation } }: Pick<Context, 'params'>): string {
  return diskVolumeName({ id, generation });
}

/** The image that is gone back to, its disk, and the image that the server was of then. */
async function targetOf({ params, deps }: Context) {
  const { manager } = deps.dataSource;
  const images = manager.getRepository(Image);
  const image = await images.findOneByOrFail({ id: params.imageId });
  const frozen = await manager
    .getRepository(FrozenDisk)
    .findOneByOrFail({ id: image.frozenDiskId ?? Number.NaN });
  const restored = frozen.imageId === null ? image : await images.findOneByOrFail({ id: frozen.imageId });
  return { image, frozen, restored };
}

async function startIfWanted(ctx: Context): Promise<void> {
  if (ctx.params.power === 'off') return;
  const { host, server } = await placedServer(ctx);
  await ctx.deps.hypervisor.startDomain(host, server.domainUuid);
}

/** Best effort: a guest that does not listen is rolled back all the same. */
async function sync(ctx: Context): Promise<void> {
  const { host, server } = await placedServer(ctx);
  const { hypervisor } = ctx.deps;
  if ((await look(ctx)) === 'off' || !(await hypervisor.agentPing(host, server.domainUuid))) return;
  const options = { timeoutSeconds: SYNC_TIMEOUT_SECONDS };
  await hypervisor.agentExec(host, server.domainUuid, ['/bin/sync'], options).catch((error: unknown) => {
    if (!isHypervisorError(error, 'agent_not_answering', 'agent_refused')) throw error;
  });
}

/** The server is what it was then, and what it leaves behind is an image for a while. */
async function handOver(
  manager: EntityManager,
  ctx: Context,
  { sizeBytes, access }: { sizeBytes: number; access: Awaited<ReturnType<typeof publishAccess>> },
): Promise<void> {
  const { serverId, keptImageId, frozenDiskId, generation, power } = ctx.params;
  const { server } = await loadServer(manager, serverId);
  const { image, frozen, restored } = await targetOf(ctx);
  const consistency = power === 'running' ? 'crash' : 'as_left';
  await recordRollBack(
    manager,
    server,
    { id: frozenDiskId, consistency, nextGeneration: generation },
    { id: frozen.id, imageId: restored.id, hostKey: frozen.hostKey, devices: image.devices },
  );
  await manager.query(
    `UPDATE images SET status = 'available', frozen_disk_id = $2, file_size_bytes = $3,
                       created_at = now(), expires_at = now() + make_interval(hours => $4) WHERE id = $1`,
    [keptImageId, frozenDiskId, sizeBytes, KEPT_HOURS],
  );
  if (server.hostId !== null) {
    await new ImagesService(ctx.deps.dataSource).recordOnHost(manager, keptImageId, server.hostId);
  }
  await ctx.deps.secrets.destroyPasswordsSince(manager, serverId, frozen.frozenAt);
  await show(manager, serverId, access);
  await observe(manager, serverId, power);
}

async function show(manager: EntityManager, serverId: number, access: unknown): Promise<void> {
  await manager.query('UPDATE servers SET access = $2 WHERE id = $1', [serverId, JSON.stringify(access)]);
}
