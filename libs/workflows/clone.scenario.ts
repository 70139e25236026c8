import assert from 'node:assert/strict';
import { IsNull, Not } from 'typeorm';
import { Order } from '#libs/orders';
import { anyDefinition, runToEnd, type SagaScenario } from '#libs/saga/harness';
import { Server } from '#libs/servers';
import { cloneServer } from './clone-server.saga.ts';
import {
  assertSound,
  attachToServerWorld,
  createServerWorld,
  createSharingWorld,
  destroyServerWorld,
  finish,
  orderClone,
  placeOn,
  type ServerWorld,
  standingServer,
} from './harness/index.ts';
import { openNetwork } from './open-network.saga.ts';

const common = {
  createWorld: () => createServerWorld(),
  destroyWorld: destroyServerWorld,
  attach: attachToServerWorld,
};

async function ordered(world: ServerWorld, kind: 'safe' | 'exact'): Promise<number> {
  const { action } = await orderClone(world, await standingServer(world, 'running'), kind);
  return Number(action.sagaId);
}

async function serverOf(world: ServerWorld, sagaId: number): Promise<Server> {
  const { subject } = await world.store.get(sagaId);
  return world.dataSource.getRepository(Server).findOneByOrFail({ id: subject?.id ?? 0 });
}

async function originalOf({ dataSource }: ServerWorld, { clonedFrom }: Server): Promise<Server> {
  return dataSource.getRepository(Server).findOneByOrFail({ id: Number(clonedFrom) });
}

/** It is gone for good, and its original is as it was. */
async function assertTakenBack(world: ServerWorld, sagaId: number): Promise<void> {
  await assertSound(world);
  const clone = await serverOf(world, sagaId);
  const order = await world.dataSource.getRepository(Order).findOneByOrFail({ serverId: clone.id });
  assert.deepEqual([order.status, clone.desired, clone.ipv4], ['failed', 'deleted', null]);
  const original = await originalOf(world, clone);
  assert.deepEqual([original.observed, original.deletedAt], ['running', null]);
}

async function remove(world: ServerWorld, { projectId, id }: Server): Promise<void> {
  await finish(world, await world.commands.delete(projectId, id));
  await assertSound(world);
}

/** On another host than its original, whose storage both show. */
const safeClone: SagaScenario<ServerWorld> = {
  ...common,
  createWorld: () => createSharingWorld(),
  definition: anyDefinition(cloneServer),
  async start(world) {
    await placeOn(world, 'kvm-1');
    const original = await standingServer(world, 'running');
    await placeOn(world, 'kvm-2');
    return Number((await orderClone(world, original, 'safe')).action.sagaId);
  },
  async assertDone(world, sagaId) {
    await assertSound(world);
    const clone = await serverOf(world, sagaId);
    assert.equal(world.fleet.domain('kvm-2', clone.domainUuid)?.state, 'running');
    const original = await originalOf(world, clone);
    assert.deepEqual([clone.observed, clone.network, clone.holdsTimers], ['running', 'isolated', true]);
    assert.notEqual(clone.hostKey, original.hostKey);
    assert.notEqual(clone.ipv4, original.ipv4);
    assert.equal(clone.access.length, 2);
    await remove(world, clone);
  },
  assertCleanSlate: assertTakenBack,
};

/** An exact one has its original's address when that is gone, and not before. */
export async function assertExact(world: ServerWorld, clone: Server): Promise<void> {
  const original = await originalOf(world, clone);
  assert.deepEqual([clone.observed, clone.network, clone.access], ['running', 'closed', []]);
  assert.equal(clone.hostKey, original.hostKey);
  await assert.rejects(world.commands.openNetwork(clone.projectId, clone.id), { code: 'address_in_use' });
  await assert.rejects(world.commands.openNetwork(original.projectId, original.id), {
    code: 'network_is_open',
  });
  await remove(world, original);
  await finish(world, await world.commands.openNetwork(clone.projectId, clone.id));
  await assertSound(world);
  const opened = await world.dataSource.getRepository(Server).findOneByOrFail({ id: clone.id });
  assert.deepEqual([opened.network, opened.ipv4, opened.access.length], ['open', original.ipv4, 2]);
}

const opening: SagaScenario<ServerWorld> = {
  ...common,
  definition: anyDefinition(openNetwork),
  async start(world) {
    const clone = await standingClone(world);
    const action = await world.commands.openNetwork(clone.projectId, clone.id);
    return Number(action.sagaId);
  },
  async assertDone(world, sagaId) {
    await assertSound(world);
    const clone = await serverOf(world, sagaId);
    assert.deepEqual([clone.network, clone.holdsTimers], ['open', false]);
    await remove(world, clone);
  },
  async assertCleanSlate(world, sagaId) {
    await assertSound(world);
    const clone = await serverOf(world, sagaId);
    assert.deepEqual([clone.network, clone.holdsTimers], ['isolated', true]);
  },
};

/** An isolated clone whose timers are held; made now where there is none. */
async function standingClone(world: ServerWorld): Promise<Server> {
  const isolated = { network: 'isolated', deletedAt: IsNull(), readyAt: Not(IsNull()) } as const;
  const servers = world.dataSource.getRepository(Server);
  const known = await servers.findOneBy(isolated);
  if (known) return known;
  const sagaId = await ordered(world, 'safe');
  const { state } = await runToEnd(world, cloneServer.name, sagaId, []);
  assert.equal(state, 'done');
  return servers.findOneByOrFail(isolated);
}

export const scenarios = [safeClone, opening];
