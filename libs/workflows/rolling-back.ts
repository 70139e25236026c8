import type { EntityManager } from 'typeorm';
import { isHypervisorError } from '#libs/hypervisor';
import { Image, ImagesService } from '#libs/images';
import { PermanentError, type StepContext } from '#libs/saga';
import { diskVolumeName, FrozenDisk, recordRollBack, type ServerAccess, systemImageId } from '#libs/servers';
import { attachedVolume } from '#libs/volumes';
import { publishAccess } from './access.ts';
import { followImage } from './open-billing.ts';
import { observe, placedServer } from './power-state.ts';
import { baseOf, loadServer } from './server-context.ts';
import { startIfWanted } from './stop-and-start.ts';
import { switchDisk } from './switch-disk.ts';
import type { WorkflowDeps } from './workflow-deps.ts';

/** What a server leaves behind when it is rolled back is kept for so long. */
const KEPT_HOURS = 24;

/** A server goes back to `imageId` by the disk of `generation`; the disk that it has is set aside as `keptImageId`. */
export interface RollingBack {
  readonly serverId: number;
  readonly imageId: number;
  readonly keptImageId: number;
  readonly frozenDiskId: number;
  readonly generation: number;
  readonly power: 'running' | 'off';
  /** From the memory of the image, without a boot. */
  readonly resumes?: boolean;
}

type Context = Pick<StepContext<RollingBack, unknown, WorkflowDeps>, 'params' | 'deps'>;

export function nextVolume({ params: { serverId: id, generation } }: Pick<Context, 'params'>): string {
  return diskVolumeName({ id, generation });
}

/** The image that is gone back to, its disk, and what the server was then: made of `imageId`, and like `restored`. */
export async function targetOf({ params, deps }: Context) {
  const { manager } = deps.dataSource;
  const images = manager.getRepository(Image);
  const image = await images.findOneByOrFail({ id: params.imageId });
  const frozen = await manager
    .getRepository(FrozenDisk)
    .findOneByOrFail({ id: image.frozenDiskId ?? Number.NaN });
  const imageId = frozen.imageId ?? image.id;
  const id = systemImageId({ imageId, upgradedTo: frozen.upgradedTo });
  return { image, frozen, imageId, restored: await images.findOneByOrFail({ id }) };
}

/** Makes the disk that the server goes on with. */
export async function cloneFrozen(ctx: Context): Promise<void> {
  const { host, server } = await placedServer(ctx);
  const { image } = await targetOf(ctx);
  await ctx.deps.hypervisor.createOverlay(host, {
    volumeName: nextVolume(ctx),
    base: await baseOf(ctx.deps.dataSource.manager, image),
    sizeGib: server.diskGib,
  });
}

export async function switchToNext(ctx: Context): Promise<void> {
  const placed = await placedServer(ctx);
  const { devices } = (await targetOf(ctx)).image;
  await switchDisk(ctx.deps, { ...placed, server: { ...placed.server, devices } }, ctx.params.generation);
  if (ctx.params.resumes) await resume(ctx);
  else await startIfWanted(ctx);
}

/**
 * Volumes that it has now it had not then: those are plugged in anew, as into any machine that runs.
 * @throws PermanentError `memory_gone`
 */
async function resume(ctx: Context): Promise<void> {
  const { host, server, volumes } = await placedServer(ctx);
  const { memoryVolumeName: memoryVolume } = (await targetOf(ctx)).frozen;
  if (memoryVolume === null) throw new PermanentError('memory_gone', 'the memory of the snapshot is gone');
  const spec = { memoryVolume, diskVolume: nextVolume(ctx) };
  await ctx.deps.hypervisor.resumeDomain(host, server.domainUuid, spec).catch(async (error: unknown) => {
    // Its type has been changed since: what ran then cannot go on, and boots.
    if (!isHypervisorError(error, 'memory_of_another_size')) throw error;
    await startIfWanted(ctx);
  });
  for (const volume of volumes) {
    const plugged = attachedVolume(volume, volume.slot ?? 0);
    await ctx.deps.hypervisor.attachVolume(host, server.domainUuid, plugged);
  }
}

/** Opens the ports of what the server is again. @throws PermanentError `disk_gone` */
export async function restoreAccess(ctx: Context): Promise<{ sizeBytes: number; access: ServerAccess[] }> {
  const { hypervisor, access } = ctx.deps;
  const { host, server, address } = await placedServer(ctx);
  const { restored } = await targetOf(ctx);
  const volumes = await hypervisor.listVolumes(host, 'disks');
  const setAside = volumes.find(({ name }) => name === diskVolumeName(server));
  if (!setAside) throw new PermanentError('disk_gone', `the disk of server ${server.id} is not there`);
  return {
    sizeBytes: setAside.allocationBytes,
    access: await publishAccess(access, restored, address),
  };
}

/** The server is what it was then, and what it leaves behind is an image for a while. */
export async function noteRollBack(
  manager: EntityManager,
  ctx: Context,
  { sizeBytes, access }: { readonly sizeBytes: number; readonly access: readonly ServerAccess[] },
): Promise<void> {
  const { serverId, keptImageId, frozenDiskId, generation, power } = ctx.params;
  const { server } = await loadServer(manager, serverId);
  const { image, frozen, imageId } = await targetOf(ctx);
  const consistency = power === 'running' ? 'crash' : 'as_left';
  await recordRollBack(
    manager,
    server,
    { id: frozenDiskId, consistency, nextGeneration: generation },
    {
      ...{ id: frozen.id, imageId, upgradedTo: frozen.upgradedTo },
      ...{ hostKey: frozen.hostKey, devices: image.devices, holdsTimers: frozen.holdsTimers },
    },
  );
  await followImage(manager, serverId);
  await manager.query(
    `UPDATE images SET status = 'available', frozen_disk_id = $2, file_size_bytes = $3,
                       created_at = now(), expires_at = now() + make_interval(hours => $4) WHERE id = $1`,
    [keptImageId, frozenDiskId, sizeBytes, KEPT_HOURS],
  );
  if (server.hostId !== null) {
    await new ImagesService(ctx.deps.dataSource).recordOnHost(manager, keptImageId, server.hostId);
  }
  await ctx.deps.secrets.destroyPasswordsSince(manager, serverId, frozen.frozenAt);
  await showAccess(manager, serverId, access);
  await observe(manager, serverId, power);
}

export async function showAccess(
  manager: EntityManager,
  serverId: number,
  access: readonly ServerAccess[],
): Promise<void> {
  await manager.query('UPDATE servers SET access = $2 WHERE id = $1', [serverId, JSON.stringify(access)]);
}
