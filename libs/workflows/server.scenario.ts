import assert from 'node:assert/strict';
import { IsNull, Not } from 'typeorm';
import { Image } from '#libs/images';
import { newId } from '#libs/kernel';
import { anyDefinition, type SagaScenario } from '#libs/saga/harness';
import { Action, FrozenDisk, freezeDiskRequest, mergeLayersRequest, newAction, Server } from '#libs/servers';
import { createImage } from './create-image.saga.ts';
import { deleteServer } from './delete-server.saga.ts';
import { freezeDisk } from './freeze-disk.saga.ts';
import { assertSound } from './harness/assert-sound.ts';
import { assertApplicationSecrets, digestOf, guestOf } from './harness/guest-secrets.ts';
import {
  attachToServerWorld,
  createServerWorld,
  destroyServerWorld,
  type ServerWorld,
} from './harness/server-world.ts';
import { finish, standingServer } from './harness/standing-server.ts';
import { asked, fallInArrears, leaveArrears, lift, settle, suspend } from './harness/suspending.ts';
import { mergeLayers } from './merge-layers.saga.ts';
import { powerOffServer } from './power-off-server.saga.ts';
import { powerOnServer } from './power-on-server.saga.ts';
import { rebootServer } from './reboot-server.saga.ts';
import { rebuildServer } from './rebuild-server.saga.ts';
import { resetPassword } from './reset-password.saga.ts';
import { resetServer } from './reset-server.saga.ts';
import { resumeServer } from './resume-server.saga.ts';
import { retireServer } from './retire-server.saga.ts';
import { rollBackServer } from './roll-back-server.saga.ts';
import { shutdownServer } from './shutdown-server.saga.ts';
import { suspendServer } from './suspend-server.saga.ts';

type Ended = (world: ServerWorld, server: Server) => Promise<void> | void;

/** How one workflow is tried. Whatever its end, `assertSound` is asked first. */
interface Trial {
  readonly definition: SagaScenario['definition'];
  start(world: ServerWorld): Promise<Action>;
  readonly done: Ended;
  readonly undone: Ended;
}

function scenario({ definition, start, done, undone }: Trial): SagaScenario<ServerWorld> {
  const ended = (check: Ended) => async (world: ServerWorld, sagaId: number) => {
    await assertSound(world);
    const { subject } = await world.store.get(sagaId);
    const servers = world.dataSource.getRepository(Server);
    await check(world, await servers.findOneByOrFail({ id: subject?.id ?? 0 }));
  };
  return {
    definition,
    createWorld: () => createServerWorld(),
    destroyWorld: destroyServerWorld,
    attach: attachToServerWorld,
    start: async (world) => Number((await start(world)).sagaId),
    assertDone: ended(done),
    assertCleanSlate: ended(undone),
  };
}

/** A command on a server that stands from case to case. */
function command(
  definition: Trial['definition'],
  given: 'running' | 'off',
  ask: (world: ServerWorld, server: Server) => Promise<Action>,
  done: Ended,
  undone: Ended = () => {},
): SagaScenario<ServerWorld> {
  const start = async (world: ServerWorld) => ask(world, await standingServer(world, given));
  return scenario({ definition, start, done, undone });
}

const shows =
  (state: 'running' | 'off'): Ended =>
  (_world, { observed, desired }) =>
    assert.deepEqual({ observed, desired }, { observed: state, desired: state });

export const commandScenarios = [
  command(
    anyDefinition(deleteServer),
    'running',
    ({ commands }, { projectId, id }) => commands.delete(projectId, id),
    (_world, { deletedAt }) => assert.ok(deletedAt),
  ),
  command(
    anyDefinition(powerOnServer),
    'off',
    ({ commands }, { projectId, id }) => commands.powerOn(projectId, id),
    shows('running'),
  ),
  command(
    anyDefinition(powerOffServer),
    'running',
    ({ commands }, { projectId, id }) => commands.powerOff(projectId, id),
    shows('off'),
  ),
  command(
    anyDefinition(shutdownServer),
    'running',
    ({ commands }, { projectId, id }) => commands.shutdown(projectId, id),
    shows('off'),
  ),
  command(
    anyDefinition(rebootServer),
    'running',
    ({ commands }, { projectId, id }) => commands.reboot(projectId, id),
    shows('running'),
    shows('running'),
  ),
  command(
    anyDefinition(resetServer),
    'running',
    ({ commands }, { projectId, id }) => commands.reset(projectId, id),
    shows('running'),
    shows('running'),
  ),
  command(
    anyDefinition(resetPassword),
    'running',
    async ({ commands }, { projectId, id }) => (await commands.resetPassword(projectId, id, 'reveal')).action,
    async (world, server) => {
      const password = await world.commands.revealPassword(server.projectId, server.id);
      assert.equal(guestOf(world, server)?.passwordDigests.root, digestOf(password));
    },
    assertNoPassword,
  ),
  command(
    anyDefinition(rebuildServer),
    'running',
    async (world, { projectId, id, imageId }) => {
      const other = await world.dataSource
        .getRepository(Image)
        .findOneByOrFail({ id: Not(imageId), type: 'app' });
      return (await world.commands.rebuild(projectId, id, other, 'reveal')).action;
    },
    async (world, server) => {
      shows('running')(world, server);
      assert.ok(await world.commands.revealPassword(server.projectId, server.id));
      await assertApplicationSecrets(world, server);
    },
    async (world, server) => {
      shows('running')(world, server);
      await assertFormerPassword(world, server);
      await assertApplicationSecrets(world, server);
    },
  ),
];

/** What a server's newest snapshot has become. */
async function newestSnapshot(world: ServerWorld, { id }: Server): Promise<Image> {
  const [image] = await world.dataSource
    .getRepository(Image)
    .find({ where: { serverId: id }, order: { createdAt: 'DESC' }, take: 1 });
  if (!image) throw new Error(`server ${id} has no snapshot`);
  return image;
}

const withMemory = { description: 'before', labels: {}, withMemory: true };

/** When a server's guest started. */
function runsSince({ fleet }: ServerWorld, { domainUuid }: Server): number | undefined {
  const [host = ''] = fleet.hostNames();
  return fleet.domains(host).find(({ uuid }) => uuid === domainUuid)?.startedAtMs;
}

/** When the guest started whose memory was kept with what a server stands on. */
async function wasKeptSince({ dataSource, fleet }: ServerWorld, { standsOn }: Server): Promise<number> {
  const frozen = await dataSource.getRepository(FrozenDisk).findOneByOrFail({ id: standsOn ?? 0 });
  const [host = ''] = fleet.hostNames();
  const { memory } = fleet.volumes(host).find(({ name }) => name === frozen.memoryVolumeName) ?? {};
  assert.ok(memory);
  return memory.startedAtMs;
}

export const imageScenarios = [
  command(
    anyDefinition(createImage),
    'running',
    async ({ commands }, { projectId, id }) => (await commands.createImage(projectId, id, withMemory)).action,
    async (world, server) => {
      shows('running')(world, server);
      const { status, frozenDiskId, memoryBytes } = await newestSnapshot(world, server);
      assert.deepEqual([status, frozenDiskId], ['available', server.standsOn]);
      assert.ok(memoryBytes);
    },
    async (world, server) => {
      shows('running')(world, server);
      const { status, frozenDiskId } = await newestSnapshot(world, server);
      assert.deepEqual([status, frozenDiskId], ['unavailable', null]);
    },
  ),
  command(
    anyDefinition(rollBackServer),
    'running',
    rollBack,
    async (world, server) => {
      shows('running')(world, server);
      const { madeBy, status, frozenDiskId, expiresAt } = await newestSnapshot(world, server);
      assert.deepEqual([madeBy, status], ['roll_back', 'available']);
      assert.ok(expiresAt && frozenDiskId !== server.standsOn);
      assert.equal(runsSince(world, server), await wasKeptSince(world, server));
    },
    async (world, server) => {
      shows('running')(world, server);
      const { madeBy, status, deletedAt } = await newestSnapshot(world, server);
      assert.deepEqual([madeBy, status], ['roll_back', 'unavailable']);
      assert.ok(deletedAt);
    },
  ),
];

/** A disk that is frozen to be read. */
export const freezeScenario = command(
  anyDefinition(freezeDisk),
  'running',
  async ({ dataSource, store }, { projectId, id: serverId, generation }) => {
    const [frozenDiskId, sagaId] = [newId(), newId()];
    const action = newAction({ projectId, serverId, sagaId, command: 'freeze_disk' });
    const subject = { type: 'server', id: serverId };
    const params = { serverId, frozenDiskId, generation: generation + 1 };
    const { manager } = dataSource;
    await manager.insert(Action, action);
    await store.start(manager, freezeDiskRequest, params, { sagaId, actionId: action.id, subject });
    return action;
  },
  async (world, server) => {
    shows('running')(world, server);
    const { frozenDiskId } = await lastFreezing(world, server);
    assert.equal(server.standsOn, frozenDiskId);
  },
  shows('running'),
);

/** The world's server, off, and its disk on one that was frozen. */
export const mergeScenario: SagaScenario<ServerWorld> = {
  definition: anyDefinition(mergeLayers),
  createWorld: () => createServerWorld(),
  destroyWorld: destroyServerWorld,
  attach: attachToServerWorld,
  async start(world) {
    const { projectId, id } = await standingServer(world, 'running');
    const wanted = { description: 'before', labels: {} };
    await finish(world, (await world.commands.createImage(projectId, id, wanted)).action);
    await finish(world, await world.commands.powerOff(projectId, id));
    const subject = { type: 'server', id };
    const { manager } = world.dataSource;
    return (await world.store.start(manager, mergeLayersRequest, { serverId: id }, { subject })).sagaId;
  },
  async assertDone(world) {
    await assertSound(world);
    assert.equal((await standing(world)).standsOn, null);
  },
  async assertCleanSlate(world) {
    await assertSound(world);
    assert.ok((await standing(world)).standsOn);
  },
};

function standing(world: ServerWorld): Promise<Server> {
  return world.dataSource.getRepository(Server).findOneByOrFail({ deletedAt: IsNull(), observed: 'off' });
}

async function lastFreezing({ store }: ServerWorld, { id }: Server) {
  const [saga] = await store.list({ subject: { type: 'server', id }, limit: 1 });
  return freezeDiskRequest.params.parse(saga?.params);
}

/** To what the server was when its first snapshot was made: now, where it has none. */
async function rollBack(world: ServerWorld, { projectId, id }: Server): Promise<Action> {
  const { commands, dataSource } = world;
  const images = dataSource.getRepository(Image);
  const kept = { serverId: id, status: 'available', madeBy: 'owner' } as const;
  if (!(await images.existsBy(kept))) {
    const { action } = await commands.createImage(projectId, id, withMemory);
    await finish(world, action);
  }
  return commands.rollBack(projectId, id, await images.findOneByOrFail(kept));
}

/** A workflow that the suspensions ask for; whatever its end, all of them are lifted and the server is as it was. */
function suspension(
  definition: Trial['definition'],
  prepare: (world: ServerWorld, server: Server) => Promise<void>,
  done: Ended,
): SagaScenario<ServerWorld> {
  return command(
    definition,
    'running',
    async (world, server) => {
      await prepare(world, server);
      const action = await asked(world);
      if (!action) throw new Error('nothing was asked for');
      return action;
    },
    async (world, server) => {
      await done(world, server);
      await leaveArrears(world, server);
      await lift(world, server, 'billing');
      await settle(world);
      await assertSound(world);
      const servers = world.dataSource.getRepository(Server);
      shows('running')(world, await servers.findOneByOrFail({ id: server.id }));
    },
  );
}

const offButWanted: Ended = (_world, { observed, desired }) =>
  assert.deepEqual({ observed, desired }, { observed: 'off', desired: 'running' });

export const suspensionScenarios = [
  suspension(
    anyDefinition(suspendServer),
    (world, server) => suspend(world, server, 'billing'),
    async (world, server) => {
      await offButWanted(world, server);
      await assert.rejects(world.commands.powerOn(server.projectId, server.id), { code: 'server_suspended' });
    },
  ),
  suspension(
    anyDefinition(retireServer),
    async (world, server) => {
      await suspend(world, server, 'billing');
      await settle(world);
      await fallInArrears(world, server);
    },
    async (world, server) => {
      await offButWanted(world, server);
      assert.deepEqual(server.access, []);
      await assert.rejects(world.commands.powerOn(server.projectId, server.id), { code: 'server_not_found' });
    },
  ),
  suspension(
    anyDefinition(resumeServer),
    async (world, server) => {
      await suspend(world, server, 'billing');
      await fallInArrears(world, server);
      await settle(world);
      await leaveArrears(world, server);
      await lift(world, server, 'billing');
    },
    (world, server) => {
      shows('running')(world, server);
      assert.equal(server.access.length, 2);
    },
  ),
];

export const scenarios = [
  ...commandScenarios,
  ...suspensionScenarios,
  ...imageScenarios,
  freezeScenario,
  mergeScenario,
];

/** What is known of its password is from before what was asked of it last, for its guest is. */
async function assertFormerPassword({ dataSource }: ServerWorld, { id }: Server): Promise<void> {
  const known = await dataSource.query<{ isFormer: boolean }[]>(
    `SELECT created_at < (SELECT max(started_at) FROM actions WHERE server_id = $1) AS "isFormer"
     FROM server_secrets WHERE server_id = $1 AND kind = 'root_password'`,
    [id],
  );
  assert.deepEqual(known, [{ isFormer: true }]);
}

/** A password that may not be the guest's is not shown: here the last one that was set has been handed over. */
async function assertNoPassword({ commands }: ServerWorld, { projectId, id }: Server): Promise<void> {
  await assert.rejects(commands.revealPassword(projectId, id), ({ code }) =>
    ['credentials_not_there', 'credentials_gone'].includes(code),
  );
}
