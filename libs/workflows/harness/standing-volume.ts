import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { IsNull } from 'typeorm';
import { newId } from '#libs/kernel';
import { Host, HostsService } from '#libs/placement';
import type { WorldAddress } from '#libs/saga/harness';
import type { Action, Server } from '#libs/servers';
import { Volume, volumeFileName } from '#libs/volumes';
import { attachToServerWorld, createServerWorld, type ServerWorld } from './server-world.ts';
import { placeOn } from './sharing-world.ts';
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

/** One that a server had, which has written to it; on the host of that name, or where most room is left. */
export async function writtenVolume(world: ServerWorld, hostName?: string): Promise<Volume> {
  if (hostName !== undefined) await placeOn(world, hostName);
  const volume = await standingVolume(world);
  await world.dataSource.query(`UPDATE hosts SET state = 'active'`);
  await world.dataSource.query('UPDATE volumes SET has_data = true WHERE id = $1', [volume.id]);
  const { host, file } = await fileOf(world, volume);
  world.fleet.putVolume(host, { ...file, content: PRECIOUS });
  return volumeOf(world, volume.id);
}

/** What `writtenVolume` has is where its row says. @throws AssertionError */
export async function assertKept(world: ServerWorld, { id }: Pick<Volume, 'id'>): Promise<void> {
  const { file } = await fileOf(world, await volumeOf(world, id));
  assert.equal(file.content, PRECIOUS);
}

const PRECIOUS = 'precious';

async function fileOf(world: ServerWorld, volume: Volume) {
  const host = await world.dataSource.getRepository(Host).findOneByOrFail({ id: volume.hostId ?? 0 });
  const file = world.fleet.volumes(host.name).find(({ name }) => name === volumeFileName(volume));
  if (!file) throw new Error(`volume ${volume.id} is not on ${host.name}`);
  return { host: host.name, file };
}

/** Detaches and deletes all volumes. */
export async function removeVolumes(world: ServerWorld): Promise<void> {
  const volumes = await world.dataSource.getRepository(Volume).findBy({ deletedAt: IsNull() });
  for (const { id, projectId, serverId } of volumes) {
    if (serverId !== null) await finish(world, await world.volumes.detach(projectId, id));
    await world.volumes.delete(projectId, id);
    const [saga] = await world.store.list({ subject: { type: 'volume', id }, limit: 1 });
    await finish(world, { sagaId: saga?.id } as Action);
  }
}

export function volumeOf({ dataSource }: ServerWorld, id: number): Promise<Volume> {
  return dataSource.getRepository(Volume).findOneByOrFail({ id });
}
