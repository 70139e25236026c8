import type { EntityManager } from 'typeorm';
import { Location, ServerType } from '#libs/catalog';
import { DomainError } from '#libs/kernel';
import { Host, outOfCapacity, type PlacementRequest, release, reserve, reservedHost } from '#libs/placement';
import type { StepContext } from '#libs/saga';
import { FrozenDisk, lockServer, type Server } from '#libs/servers';
import { diskAlong, volumesOfServer } from '#libs/volumes';
import { loadServer } from './server-context.ts';
import type { WorkflowDeps } from './workflow-deps.ts';

const CAPACITY_DEADLINE_SECONDS = 3600;

type Context = Pick<StepContext<{ readonly serverId: number }, unknown, WorkflowDeps>, 'params' | 'deps'>;

/** The first step of an order, whose room was taken with it. */
export const choosingHost = {
  title: 'Choosing a host',
  deadlineSeconds: CAPACITY_DEADLINE_SECONDS,
  everySeconds: 10,
  transact: (manager: EntityManager, { params, deps }: Context) => place(manager, deps, params.serverId),
};

/**
 * Confirms the room that the order took. Where its host has gone since, the server moves to another one; while there
 * is none it waits, its owner and the operator are told, and nothing is charged.
 */
async function place(
  manager: EntityManager,
  deps: WorkflowDeps,
  serverId: number,
): Promise<{ hostId: number } | undefined> {
  const server = await lockServer(manager, serverId);
  const { type } = await loadServer(manager, serverId);
  const kept = await reservedHost(manager, serverId);
  const host = kept === undefined ? null : await manager.getRepository(Host).findOneBy({ id: kept });
  if (host && host.state !== 'unreachable' && host.state !== 'lost')
    return settle(manager, deps, server, host.id);
  await release(manager, serverId);
  const { vcpus, memoryMib } = type;
  const { locationId, imageId, diskGib } = server;
  const demand = { serverId, locationId, imageId, vcpus, memoryMib, diskGib };
  try {
    const hostId = await reserve(manager, { ...demand, ...(await beside(manager, server)) });
    return settle(manager, deps, server, hostId);
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    await manager.query(`UPDATE servers SET reason = 'waiting for capacity', host_id = NULL WHERE id = $1`, [
      serverId,
    ]);
    await deps.findings.report({
      kind: 'out_of_capacity',
      hostId: null,
      subject: outOfCapacity.server(serverId),
      details: { message: error.message },
    });
    return undefined;
  }
}

/** A copy is made where the disk is reached that it stands on; what is ordered with volumes, where their data is. */
async function beside(
  manager: EntityManager,
  { id, copiedDiskId }: Server,
): Promise<Pick<PlacementRequest, 'besideHostId' | 'along'>> {
  const along = (await volumesOfServer(manager, id)).flatMap(diskAlong);
  if (copiedDiskId === null) return { along };
  const { hostId } = await manager.getRepository(FrozenDisk).findOneByOrFail({ id: copiedDiskId });
  return { besideHostId: hostId, along };
}

/** The server has its host: there is room again for its size, whatever the operator was told before. */
async function settle(
  manager: EntityManager,
  { findings }: WorkflowDeps,
  { id, serverTypeId, locationId }: Server,
  hostId: number,
): Promise<{ hostId: number }> {
  await manager.query(`UPDATE servers SET host_id = $2, reason = NULL WHERE id = $1`, [id, hostId]);
  const type = await manager.getRepository(ServerType).findOneByOrFail({ id: serverTypeId });
  const location = await manager.getRepository(Location).findOneByOrFail({ id: locationId });
  await findings.resolve(manager, 'out_of_capacity', [
    outOfCapacity.server(id),
    outOfCapacity.orders(type.name, location.name),
  ]);
  return { hostId };
}
