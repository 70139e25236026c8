import assert from 'node:assert/strict';
import { In } from 'typeorm';
import { anyDefinition, type SagaScenario } from '#libs/saga/harness';
import { Action, Server } from '#libs/servers';
import { Volume, volumesOfServer } from '#libs/volumes';
import { attachVolume } from './attach-volume.saga.ts';
import {
  assertKept,
  assertSound,
  attachToServerWorld,
  createVolumeWorld,
  destroyServerWorld,
  finish,
  order,
  removeVolumes,
  type ServerWorld,
  standingServer,
  standingVolume,
  volumeOf,
  writtenVolume,
} from './harness/index.ts';
import { provisionServer } from './provision-server.saga.ts';

const common = {
  createWorld: createVolumeWorld,
  destroyWorld: destroyServerWorld,
  attach: attachToServerWorld,
};

/** A volume with data is on another host than the server that it is attached to. */
const attaching: SagaScenario<ServerWorld> = {
  ...common,
  definition: anyDefinition(attachVolume),
  async start(world) {
    const server = await standingServer(world, 'running');
    const { id, projectId, hostId } = await writtenVolume(world, 'kvm-2');
    assert.notEqual(hostId, server.hostId);
    return Number((await world.volumes.attach(projectId, id, server.id, true)).sagaId);
  },
  async assertDone(world, sagaId) {
    await assertSound(world);
    const volume = await attached(world, sagaId);
    const server = await standingServer(world, 'running');
    assert.deepEqual([volume.serverId, volume.hostId, volume.copyId], [server.id, server.hostId, sagaId]);
    await assertKept(world, volume);
    await removeVolumes(world);
    await assertSound(world);
  },
  async assertCleanSlate(world, sagaId) {
    await assertSound(world);
    const volume = await attached(world, sagaId);
    assert.deepEqual([volume.serverId, volume.deletedAt], [null, null]);
    await assertKept(world, volume);
    await removeVolumes(world);
  },
};

async function attached(world: ServerWorld, sagaId: number): Promise<Volume> {
  const { params } = await world.store.get(sagaId);
  return volumeOf(world, (params as { volumeId: number }).volumeId);
}

/** A server is ordered with a volume that has data, on the host that it goes to, and with an empty one of another host. */
const provisioning: SagaScenario<ServerWorld> = {
  ...common,
  definition: anyDefinition(provisionServer),
  async start(world) {
    const [written, empty] = [await writtenVolume(world, 'kvm-1'), await standingVolume(world)];
    assert.notEqual(written.hostId, empty.hostId);
    const { action, server } = await order(world, undefined, [written.id, empty.id]);
    const had = await volumesOfServer(world.dataSource.manager, server.id);
    assert.deepEqual(
      had.map(({ id, slot }) => [id, slot]),
      [
        [written.id, 0],
        [empty.id, 1],
      ],
    );
    return Number(action.sagaId);
  },
  async assertDone(world, sagaId) {
    await assertSound(world);
    const server = await ordered(world, sagaId);
    const volumes = await volumesOfServer(world.dataSource.manager, server.id);
    assert.deepEqual(
      volumes.map(({ hostId, hasData }) => [hostId, hasData]),
      [
        [server.hostId, true],
        [server.hostId, true],
      ],
    );
    await assertKept(world, volumes[0] as Volume);
    const told = await world.dataSource.getRepository(Action).findBy({
      volumeId: In(volumes.map(({ id }) => id)),
      command: 'attach_volume',
      status: 'success',
    });
    assert.equal(told.length, 2);
    await finish(world, await world.commands.delete(server.projectId, server.id));
    await assertFree(world);
  },
  async assertCleanSlate(world, sagaId) {
    await assertSound(world);
    assert.ok((await ordered(world, sagaId)).deletedAt);
    await assertFree(world);
  },
};

async function ordered(world: ServerWorld, sagaId: number): Promise<Server> {
  const { subject } = await world.store.get(sagaId);
  return world.dataSource.getRepository(Server).findOneByOrFail({ id: subject?.id ?? 0 });
}

/** Both volumes are there, with what was written, and no server has them. */
async function assertFree(world: ServerWorld): Promise<void> {
  await assertSound(world);
  const volumes = (await world.dataSource.getRepository(Volume).find({ order: { createdAt: 'ASC' } })).filter(
    ({ deletedAt }) => deletedAt === null,
  );
  assert.deepEqual(
    volumes.map(({ serverId, slot }) => [serverId, slot]),
    [
      [null, null],
      [null, null],
    ],
  );
  await assertKept(world, volumes[0] as Volume);
  await removeVolumes(world);
  await assertSound(world);
}

export const scenarios = [attaching, provisioning];
