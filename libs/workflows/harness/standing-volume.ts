import { randomUUID } from 'node:crypto';
import { newId } from '#libs/kernel';
import { HostsService } from '#libs/placement';
import type { WorldAddress } from '#libs/saga/harness';
import type { Server } from '#libs/servers';
import { Volume } from '#libs/volumes';
import { attachToServerWorld, createServerWorld, type ServerWorld } from './server-world.ts';
import { finish } from './standing-server.ts';

/** A world with a second host, which has no images, and so no servers: volumes go there first, for it is the emptier. */
export async function createVolumeWorld(): Promise<WorldAddress> {
  const address = await createServerWorld();
  const world = await attachToServerWorld(address);
  const hosts = new HostsService(world.dataSource);
  const [first] = await hosts.all();
  if (!first) throw new Error('the world has no host');
  const { id: _id, usedVcpus: _v, usedMemoryMib: _m, usedDiskGib: _d, ...known } = first;
  const { hostUuid } = world.fleet.addHost('kvm-2', { hostUuid: randomUUID() });
  const { uri, name } = world.fleet.hostRef('kvm-2', 0);
  await hosts.save(world.dataSource.manager, { ...known, hostUuid, uri, name });
  await world.close();
  return address;
}

/** The owner asks for a volume of 10 GiB somewhere, or at a server. */
export async function askForVolume(world: ServerWorld, server?: Server) {
  const [project] = await world.dataSource.query<[{ id: number; accountId: number; locationId: number }]>(
    `SELECT p.id, p.account_id AS "accountId", l.id AS "locationId" FROM projects p, locations l`,
  );
  const volumeId = newId();
  return world.volumes.create({
    ...{ volumeId, accountId: project.accountId, projectId: project.id, name: `volume-${volumeId}` },
    ...{ labels: {}, sizeGib: 10, format: null, currency: 'eur' },
    place: server ? { serverId: server.id, automount: false } : { locationId: project.locationId },
  });
}

/** A volume that is made, and that the world's server has, where that is said. */
export async function standingVolume(world: ServerWorld, attachedTo?: Server): Promise<Volume> {
  const { volume, actions } = await askForVolume(world, attachedTo);
  for (const action of actions) await finish(world, action);
  return volumeOf(world, volume.id);
}

export function volumeOf({ dataSource }: ServerWorld, id: number): Promise<Volume> {
  return dataSource.getRepository(Volume).findOneByOrFail({ id });
}
