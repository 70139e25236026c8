import assert from 'node:assert/strict';
import { Iso } from '#libs/isos';
import { anyDefinition, type SagaScenario } from '#libs/saga/harness';
import { type Action, Server } from '#libs/servers';
import { attachIso } from './attach-iso.saga.ts';
import { detachIso } from './detach-iso.saga.ts';
import {
  assertSound,
  attachToServerWorld,
  createIsoWorld,
  destroyServerWorld,
  finish,
  type ServerWorld,
  standingServer,
} from './harness/index.ts';

interface Trial {
  readonly definition: SagaScenario['definition'];
  start(world: ServerWorld, server: Server): Promise<Action>;
  /** The name of what is in the drive at the end. */
  readonly done: string | null;
  readonly undone: string | null;
}

/** Whatever the end, `assertSound` is asked first; then the drive is emptied for the next case. */
function scenario({ definition, start, done, undone }: Trial): SagaScenario<ServerWorld> {
  const ended = (expected: string | null) => async (world: ServerWorld, sagaId: number) => {
    await assertSound(world);
    const { subject } = await world.store.get(sagaId);
    const { projectId, id, isoId } = await world.dataSource
      .getRepository(Server)
      .findOneByOrFail({ id: subject?.id ?? 0 });
    assert.equal(isoId, expected && (await isoNamed(world, expected)));
    const emptying = await world.isos.detach(projectId, id);
    if (emptying.sagaId !== null) await finish(world, emptying);
    await assertSound(world);
  };
  return {
    definition,
    createWorld: createIsoWorld,
    destroyWorld: destroyServerWorld,
    attach: attachToServerWorld,
    start: async (world) => Number((await start(world, await standingServer(world, 'running'))).sagaId),
    assertDone: ended(done),
    assertCleanSlate: ended(undone),
  };
}

async function isoNamed({ dataSource }: ServerWorld, name: string): Promise<number> {
  return (await dataSource.getRepository(Iso).findOneByOrFail({ name })).id;
}

async function attach(world: ServerWorld, { projectId, id }: Server, name: string): Promise<Action> {
  return world.isos.attach(projectId, id, await isoNamed(world, name));
}

export const scenarios = [
  scenario({
    definition: anyDefinition(attachIso),
    start: async (world, server) => {
      await finish(world, await attach(world, server, 'netboot'));
      const { id } = server;
      return attach(world, await world.dataSource.getRepository(Server).findOneByOrFail({ id }), 'drivers');
    },
    done: 'drivers',
    undone: 'netboot',
  }),
  scenario({
    definition: anyDefinition(detachIso),
    start: async (world, server) => {
      await finish(world, await attach(world, server, 'netboot'));
      return world.isos.detach(server.projectId, server.id);
    },
    done: null,
    undone: 'netboot',
  }),
];
