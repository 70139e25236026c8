import assert from 'node:assert/strict';
import { anyDefinition, type SagaScenario } from '#libs/saga/harness';
import { type Action, Rescue, runningRescue, Server, waitingRescue } from '#libs/servers';
import { disableRescue } from './disable-rescue.saga.ts';
import { enableRescue } from './enable-rescue.saga.ts';
import {
  assertSound,
  attachToServerWorld,
  createServerWorld,
  destroyServerWorld,
  finish,
  type ServerWorld,
  standingServer,
} from './harness/index.ts';
import { switchSystem } from './switch-system.saga.ts';

interface Trial {
  readonly definition: SagaScenario['definition'];
  start(world: ServerWorld, server: Server): Promise<Action>;
  /** What the server's next boot is from, and what it runs from, when all is done, and when all was taken back. */
  readonly done: Systems;
  readonly undone: Systems;
}

interface Systems {
  readonly waits: boolean;
  readonly runs: boolean;
}

/** The world's server runs from its own disk when a case begins; whatever the end of that, `assertSound` is asked first. */
function scenario({ definition, start, done, undone }: Trial): SagaScenario<ServerWorld> {
  const ended = (expected: Systems) => async (world: ServerWorld, sagaId: number) => {
    await assertSound(world);
    const { subject } = await world.store.get(sagaId);
    const server = await world.dataSource.getRepository(Server).findOneByOrFail({ id: subject?.id ?? 0 });
    const { observed, desired } = server;
    assert.deepEqual({ observed, desired }, { observed: 'running', desired: 'running' });
    assert.deepEqual(await systemsOf(world, server), expected);
    await leave(world, server);
    await assertSound(world);
  };
  return {
    definition,
    createWorld: () => createServerWorld(),
    destroyWorld: destroyServerWorld,
    attach: attachToServerWorld,
    start: async (world) => Number((await start(world, await standingServer(world, 'running'))).sagaId),
    assertDone: ended(done),
    assertCleanSlate: ended(undone),
  };
}

async function systemsOf({ dataSource: { manager } }: ServerWorld, { id }: Server): Promise<Systems> {
  return {
    waits: (await waitingRescue(manager, id)) !== null,
    runs: (await runningRescue(manager, id)) !== null,
  };
}

async function enable(world: ServerWorld, { projectId, id }: Server): Promise<void> {
  await finish(world, (await world.rescues.enable(projectId, id, [])).action);
}

async function enter(world: ServerWorld, server: Server): Promise<void> {
  await enable(world, server);
  await finish(world, await world.commands.reset(server.projectId, server.id));
}

/** Back to its own disk, and nothing waits any more. */
async function leave(world: ServerWorld, server: Server): Promise<void> {
  const { projectId, id } = server;
  await finish(world, await world.rescues.disable(projectId, id));
  if ((await systemsOf(world, server)).runs) await finish(world, await world.commands.reset(projectId, id));
  const left = await world.dataSource.getRepository(Rescue).findBy({ serverId: id });
  assert.ok(left.every(({ endedAt, removedAt }) => endedAt !== null && removedAt !== null));
}

/** By the power button, which a simulated guest listens to. */
export const enteringScenario = scenario({
  definition: anyDefinition(switchSystem),
  start: async (world, server) => {
    await enable(world, server);
    return world.commands.reboot(server.projectId, server.id);
  },
  done: { waits: false, runs: true },
  undone: { waits: true, runs: false },
});

export const leavingScenario = scenario({
  definition: anyDefinition(switchSystem),
  start: async (world, server) => {
    await enter(world, server);
    return world.commands.reset(server.projectId, server.id);
  },
  done: { waits: false, runs: false },
  undone: { waits: false, runs: true },
});

export const scenarios = [
  scenario({
    definition: anyDefinition(enableRescue),
    start: async (world, { projectId, id }) => (await world.rescues.enable(projectId, id, [])).action,
    done: { waits: true, runs: false },
    undone: { waits: false, runs: false },
  }),
  scenario({
    definition: anyDefinition(disableRescue),
    start: async (world, server) => {
      await enable(world, server);
      return world.rescues.disable(server.projectId, server.id);
    },
    done: { waits: false, runs: false },
    undone: { waits: false, runs: false },
  }),
  enteringScenario,
];
