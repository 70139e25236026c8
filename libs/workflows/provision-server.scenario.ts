import assert from 'node:assert/strict';
import { In } from 'typeorm';
import { Order } from '#libs/orders';
import { anyDefinition, type SagaScenario } from '#libs/saga/harness';
import { Action, Server } from '#libs/servers';
import { Volume, volumesOfServer } from '#libs/volumes';
import { assertApplicationSecrets } from './harness/guest-secrets.ts';
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
  standingVolume,
  writtenVolume,
} from './harness/index.ts';
import { provisionServer } from './provision-server.saga.ts';

/** A server is ordered with a volume that has data, on the host that it goes to, and with an empty one of another host. */
const provisioning: SagaScenario<ServerWorld> = {
  definition: anyDefinition(provisionServer),
  createWorld: createVolumeWorld,
  destroyWorld: destroyServerWorld,
  attach: attachToServerWorld,
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
    const { status } = await orderOf(world, server);
    assert.deepEqual([status, server.observed, server.access.length], ['fulfilled', 'running', 2]);
    assert.ok(server.readyAt);
    assert.ok(await world.commands.revealPassword(server.projectId, server.id));
    await assertApplicationSecrets(world, server);
    await assertHasItsVolumes(world, server);
    await finish(world, await world.commands.delete(server.projectId, server.id));
    await assertFree(world);
  },
  async assertCleanSlate(world, sagaId) {
    await assertSound(world);
    const server = await ordered(world, sagaId);
    const { status, failureCode } = await orderOf(world, server);
    assert.equal(status, 'failed');
    assert.ok(failureCode === 'planted' || failureCode === 'given_up');
    assert.deepEqual([server.desired, server.readyAt, server.access], ['deleted', null, []]);
    assert.ok(server.deletedAt);
    await assertFree(world);
  },
};

async function ordered(world: ServerWorld, sagaId: number): Promise<Server> {
  const { subject } = await world.store.get(sagaId);
  return world.dataSource.getRepository(Server).findOneByOrFail({ id: subject?.id ?? 0 });
}

function orderOf(world: ServerWorld, { id }: Server): Promise<Order> {
  return world.dataSource.getRepository(Order).findOneByOrFail({ serverId: id });
}

async function assertHasItsVolumes(world: ServerWorld, server: Server): Promise<void> {
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

export const scenarios = [provisioning];
