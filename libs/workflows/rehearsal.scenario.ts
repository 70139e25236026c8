import assert from 'node:assert/strict';
import { Not } from 'typeorm';
import { Image } from '#libs/images';
import { newId } from '#libs/kernel';
import { addressOf } from '#libs/networks';
import {
  applyRehearsalRequest,
  Rehearsal,
  RehearsalRun,
  RehearsalsService,
  rehearseServerRequest,
} from '#libs/rehearsals';
import { anyDefinition, runToEnd, type SagaScenario } from '#libs/saga/harness';
import { type Action, Server, systemImageId } from '#libs/servers';
import { publishAccess } from './access.ts';
import { applyRehearsal } from './apply-rehearsal.saga.ts';
import {
  assertSound,
  attachToServerWorld,
  createServerWorld,
  destroyServerWorld,
  type ServerWorld,
  standingServer,
} from './harness/index.ts';
import { rehearseServer } from './rehearse-server.saga.ts';

/** In the simulated guests' own words. */
export const UPGRADE = 'echo upgrading\ninstall web 2.0\necho done\n';

/** A rehearsal of a server that has passed, as if its clone had been tried and deleted. `upgradeTo`: an image. */
export async function rehearsed(
  world: ServerWorld,
  server: Server,
  script: string,
  upgradeTo: number | null = null,
): Promise<number> {
  const [rehearsalId, runId] = [newId(), newId()];
  const { manager } = world.dataSource;
  const { id: serverId, accountId, projectId } = server;
  const healthChecks = [{ type: 'http' as const, port: 80, path: '/', status: 200 }];
  await manager.insert(Rehearsal, {
    ...{ id: rehearsalId, accountId, projectId, serverId, healthChecks },
    ...{ upgradeFrom: upgradeTo && systemImageId(server), upgradeTo },
    ...{ state: 'passed', timeoutSeconds: 60, scriptBytes: script.length },
  });
  await world.deps.rehearsals.scripts.put(manager, rehearsalId, script);
  await manager.insert(RehearsalRun, {
    ...{ id: runId, rehearsalId, serverId, stage: 'rehearsal', state: 'passed' },
  });
  return rehearsalId;
}

/** What a rehearsal has become, and what its script has printed. */
export async function outcomeOf(world: ServerWorld, projectId: number, rehearsalId: number) {
  const service = new RehearsalsService(world.dataSource, world.store);
  const { rehearsal, runs } = await service.get(projectId, rehearsalId);
  const stage = runs.production ? 'production' : 'rehearsal';
  const { text } = await service.output(projectId, rehearsalId, stage, 0);
  return { rehearsal, runs, text, hasScript: (await scriptOf(world, rehearsalId)) !== undefined };
}

/** Lets all that is under way come to its end, such as the deletion of a clone. */
export async function settleAll(world: ServerWorld): Promise<void> {
  const states = ['running', 'undoing', 'stuck'] as const;
  for (const { name, id } of await world.store.list({ states })) await runToEnd(world, name, id, []);
}

function scriptOf(world: ServerWorld, rehearsalId: number): Promise<string | undefined> {
  return world.deps.rehearsals.scripts.read(world.dataSource.manager, rehearsalId);
}

export function webOf(world: ServerWorld, { id, generation }: Server): string | undefined {
  const [host = ''] = world.fleet.hostNames();
  const disk = world.fleet.volumes(host).find(({ name }) => name === `servery-${id}-${generation}.qcow2`);
  return disk?.guest?.software?.packages.web;
}

async function serverOfSaga({ store, dataSource }: ServerWorld, sagaId: number): Promise<Server> {
  const { subject } = await store.get(sagaId);
  return dataSource.getRepository(Server).findOneByOrFail({ id: subject?.id ?? 0 });
}

async function applied(world: ServerWorld): Promise<Action> {
  const server = await standingServer(world, 'running');
  await asItWasMade(world, server);
  const id = await rehearsed(world, server, UPGRADE, await otherImage(world, server));
  return world.rehearsals.apply(server.projectId, id, { evenIfFailed: false });
}

/** The case before this one may have upgraded it. */
async function asItWasMade({ dataSource, deps }: ServerWorld, server: Server): Promise<void> {
  const images = dataSource.getRepository(Image);
  const to = await images.findOneByOrFail({ id: server.imageId });
  const address = await addressOf(dataSource.manager, server.id);
  server.access = address ? await publishAccess(deps.access, to, address) : [];
  server.upgradedTo = null;
  await dataSource.getRepository(Server).save(server);
}

const servicesOf = ({ access }: Server) => access.map(({ service }) => service);

/** What stands for a newer image of the same recipe. */
async function otherImage({ dataSource }: ServerWorld, { imageId }: Server): Promise<number> {
  const other = { id: Not(imageId), type: 'app' as const };
  return (await dataSource.getRepository(Image).findOneByOrFail(other)).id;
}

async function rehearsalOfSaga({ store }: ServerWorld, sagaId: number): Promise<number> {
  return applyRehearsalRequest.params.parse((await store.get(sagaId)).params).rehearsalId;
}

/** Whatever strikes, the server is either upgraded and works, or as it was and works. */
const applyScenario: SagaScenario<ServerWorld> = {
  definition: anyDefinition(applyRehearsal),
  createWorld: () => createServerWorld(),
  destroyWorld: destroyServerWorld,
  attach: attachToServerWorld,
  start: async (world) => Number((await applied(world)).sagaId),
  async assertDone(world, sagaId) {
    await assertSound(world);
    const server = await serverOfSaga(world, sagaId);
    const { rehearsal, runs, text, hasScript } = await outcomeOf(
      world,
      server.projectId,
      await rehearsalOfSaga(world, sagaId),
    );
    assert.deepEqual([rehearsal.state, runs.production?.state, hasScript], ['applied', 'passed', false]);
    assert.equal(text, 'upgrading\ndone\n');
    assert.equal(runs.production?.after?.packages.web, '2.0');
    assert.equal(webOf(world, server), '2.0');
    assert.ok(server.upgradedTo);
    assert.equal(server.upgradedTo, rehearsal.upgradeTo);
    assert.deepEqual(servicesOf(server), ['ssh', 'mail']);
    await assertMails(world, 0);
  },
  async assertCleanSlate(world, sagaId) {
    await assertSound(world);
    const server = await serverOfSaga(world, sagaId);
    assert.deepEqual([server.observed, server.desired, server.upgradedTo], ['running', 'running', null]);
    assert.deepEqual(servicesOf(server), ['ssh', 'web']);
    const { rehearsal, runs, hasScript } = await outcomeOf(
      world,
      server.projectId,
      await rehearsalOfSaga(world, sagaId),
    );
    const isRolledBack = rehearsal.state === 'rolled_back';
    assert.equal(runs.production?.state, isRolledBack ? 'rolled_back' : 'failed');
    assert.deepEqual([runs.production?.answersAgain, hasScript], [isRolledBack ? true : null, !isRolledBack]);
    assert.deepEqual(runsInGuest(world, server), []);
    await assertMails(world, 1);
  },
};

/** What is left of scripts in the server's memory. */
function runsInGuest(world: ServerWorld, { id, generation }: Server): string[] {
  const [host = ''] = world.fleet.hostNames();
  const disk = world.fleet.volumes(host).find(({ name }) => name === `servery-${id}-${generation}.qcow2`);
  return Object.keys(disk?.guest?.software?.runs ?? {});
}

/** As many were queued; then they are taken away. */
async function assertMails(world: ServerWorld, count: number): Promise<void> {
  const mails = await world.dataSource.query<unknown[]>(
    `SELECT template FROM mails WHERE template = 'upgrade-not-applied'`,
  );
  assert.deepEqual(mails, Array(count).fill({ template: 'upgrade-not-applied' }));
  await world.dataSource.query(`DELETE FROM mails WHERE template = 'upgrade-not-applied'`);
}

/** Whatever strikes, the clone is gone at the end, and the server is as it was. */
const rehearseScenario: SagaScenario<ServerWorld> = {
  definition: anyDefinition(rehearseServer),
  createWorld: () => createServerWorld(),
  destroyWorld: destroyServerWorld,
  attach: attachToServerWorld,
  start: async (world) => {
    const { id: serverId, projectId } = await standingServer(world, 'running');
    const { action } = await world.rehearsals.rehearse({
      ...{
        id: newId(),
        projectId,
        serverId,
        currency: 'eur' as const,
        script: UPGRADE,
        healthChecks: undefined,
      },
      ...{ timeoutSeconds: 60, keepCloneHours: 0 },
    });
    return Number(action.sagaId);
  },
  async assertDone(world, sagaId) {
    const { rehearsal, runs, text } = await triedBy(world, sagaId);
    assert.deepEqual([rehearsal.state, text], ['passed', 'upgrading\ndone\n']);
    const { before, after, checks, exitCode } = runs.rehearsal ?? {};
    assert.deepEqual([before?.packages.web, after?.packages.web, exitCode], ['1.0', '2.0', 0]);
    assert.notEqual(before?.bootId, after?.bootId);
    assert.deepEqual(
      checks?.map(({ passed }) => passed),
      [true],
    );
  },
  async assertCleanSlate(world, sagaId) {
    const { rehearsal, runs } = await triedBy(world, sagaId);
    assert.deepEqual([rehearsal.state, runs.rehearsal?.state], ['failed', 'failed']);
    assert.ok(runs.rehearsal?.errorCode);
  },
};

/** What a saga has tried, once nothing is left of its clone. */
async function triedBy(world: ServerWorld, sagaId: number) {
  await settleAll(world);
  await assertSound(world);
  const { params } = await world.store.get(sagaId);
  const { rehearsalId, serverId } = rehearseServerRequest.params.parse(params);
  const servers = world.dataSource.getRepository(Server);
  const clone = await servers.findOneByOrFail({ id: serverId });
  assert.ok(clone.deletedAt);
  const outcome = await outcomeOf(world, clone.projectId, rehearsalId);
  const server = await servers.findOneByOrFail({ id: outcome.rehearsal.serverId });
  assert.notEqual(webOf(world, server), '2.0');
  return outcome;
}

export const scenarios = [applyScenario, rehearseScenario];
