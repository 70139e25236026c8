import assert from 'node:assert/strict';
import { ServerType } from '#libs/catalog';
import { anyDefinition, type SagaScenario } from '#libs/saga/harness';
import { type Action, Server } from '#libs/servers';
import { changeType } from './change-type.saga.ts';
import { assertSound } from './harness/assert-sound.ts';
import {
  attachToServerWorld,
  createServerWorld,
  destroyServerWorld,
  type ServerWorld,
} from './harness/server-world.ts';
import { finish, standingServer } from './harness/standing-server.ts';

/** Asks for a type of a server that may run; its disk grows where that is told. */
export async function change(
  world: ServerWorld,
  { projectId, id }: Server,
  to: string,
  upgradesDisk: boolean,
): Promise<Action> {
  const type = await world.dataSource.getRepository(ServerType).findOneByOrFail({ name: to });
  return world.types.change(projectId, id, { type, upgradesDisk, restarts: true });
}

/** A server that runs and is still as small as it was ordered: a disk that has grown is of no more use for the next case. */
async function smallServer(world: ServerWorld): Promise<Server> {
  const server = await standingServer(world, 'running');
  if (server.diskGib === 10) return server;
  await finish(world, await world.commands.delete(server.projectId, server.id));
  return standingServer(world, 'running');
}

/** A running server is made larger, its disk too. */
export const changeTypeScenario: SagaScenario<ServerWorld> = {
  definition: anyDefinition(changeType),
  createWorld: () => createServerWorld(),
  destroyWorld: destroyServerWorld,
  attach: attachToServerWorld,
  start: async (world) => Number((await change(world, await smallServer(world), 's2', true)).sagaId),
  assertDone: (world, sagaId) => assertIs(world, sagaId, { type: 's2', diskGib: 20 }),
  assertCleanSlate: (world, sagaId) => assertIs(world, sagaId, { type: 's1', diskGib: 10 }),
};

export const scenarios = [changeTypeScenario];

async function assertIs(
  world: ServerWorld,
  sagaId: number,
  wanted: { readonly type: string; readonly diskGib: number },
): Promise<void> {
  await assertSound(world);
  const { subject } = await world.store.get(sagaId);
  const { observed, desired, diskGib, serverTypeId } = await world.dataSource
    .getRepository(Server)
    .findOneByOrFail({ id: subject?.id ?? 0 });
  const { name: type } = await world.dataSource
    .getRepository(ServerType)
    .findOneByOrFail({ id: serverTypeId });
  assert.deepEqual(
    { observed, desired, type, diskGib },
    { observed: 'running', desired: 'running', ...wanted },
  );
}
