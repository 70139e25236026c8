import type { EntityManager } from 'typeorm';
import type { HostRef } from '#libs/hypervisor';
import { Host, toHostRef } from '#libs/placement';
import { PermanentError, type StepContext } from '#libs/saga';
import { Server } from '#libs/servers';
import { Volume } from '#libs/volumes';
import { findHost } from './server-context.ts';
import type { WorkflowDeps } from './workflow-deps.ts';

export type VolumeContext = Pick<StepContext<{ volumeId: number }, unknown, WorkflowDeps>, 'params' | 'deps'>;
export type AttachmentContext = Pick<
  StepContext<{ volumeId: number; serverId: number }, unknown, WorkflowDeps>,
  'params' | 'deps'
>;

/** @throws PermanentError `volume_gone` */
export async function loadVolume(manager: EntityManager, id: number): Promise<Volume> {
  const volume = await manager.getRepository(Volume).findOneBy({ id });
  if (!volume) throw new PermanentError('volume_gone', `there is no volume ${id}`);
  return volume;
}

/** Where a volume has its room; undefined where its host is forgotten. */
export async function hostOfVolume(
  manager: EntityManager,
  { hostId }: Pick<Volume, 'hostId'>,
): Promise<HostRef | undefined> {
  const host = hostId === null ? null : await manager.getRepository(Host).findOneBy({ id: hostId });
  return host ? toHostRef(host) : undefined;
}

/** @throws PermanentError `volume_host_gone` */
export async function needHost({ deps, params }: VolumeContext): Promise<HostRef> {
  const { manager } = deps.dataSource;
  const host = await hostOfVolume(manager, await loadVolume(manager, params.volumeId));
  if (!host) throw new PermanentError('volume_host_gone', 'the host of the volume is not there any more');
  return host;
}

/** A volume, and the server that has it, gets it or loses it. */
export async function attachment({ deps, params }: AttachmentContext) {
  const { manager } = deps.dataSource;
  const [volume, server] = await Promise.all([
    loadVolume(manager, params.volumeId),
    manager.getRepository(Server).findOneByOrFail({ id: params.serverId }),
  ]);
  return { volume, server, host: await findHost(manager, server) };
}

/** The same where the server has its place. @throws PermanentError `server_not_placed` */
export async function placedAttachment(ctx: AttachmentContext) {
  const { host, ...rest } = await attachment(ctx);
  if (!host) throw new PermanentError('server_not_placed', `server ${rest.server.id} has no host`);
  return { ...rest, host };
}
