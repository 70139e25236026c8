import assert from 'node:assert/strict';
import { anyDefinition, type SagaScenario } from '#libs/saga/harness';
import type { Action } from '#libs/servers';
import type { Volume } from '#libs/volumes';
import { attachVolume } from './attach-volume.saga.ts';
import { createVolume } from './create-volume.saga.ts';
import { deleteVolume } from './delete-volume.saga.ts';
import { detachVolume } from './detach-volume.saga.ts';
import {
  askForVolume,
  assertSound,
  attachToServerWorld,
  createVolumeWorld,
  destroyServerWorld,
  removeVolumes,
  type ServerWorld,
  standingServer,
  standingVolume,
  volumeOf,
} from './harness/index.ts';
import { resizeVolume } from './resize-volume.saga.ts';

interface Trial {
  readonly definition: SagaScenario['definition'];
  start(world: ServerWorld): Promise<Action>;
  done(world: ServerWorld, volume: Volume): void;
  undone?(world: ServerWorld, volume: Volume): void;
}

/** Whatever the end, `assertSound` is asked first; then the volume goes, so that the next case begins with none. */
function scenario({ definition, start, done, undone = () => {} }: Trial): SagaScenario<ServerWorld> {
  const ended = (check: Trial['done']) => async (world: ServerWorld, sagaId: number) => {
    await assertSound(world);
    const { params } = await world.store.get(sagaId);
    const { volumeId } = params as { volumeId: number };
    await check(world, await volumeOf(world, volumeId));
    await removeVolumes(world);
    await assertSound(world);
  };
  return {
    definition,
    createWorld: createVolumeWorld,
    destroyWorld: destroyServerWorld,
    attach: attachToServerWorld,
    start: async (world) => Number((await start(world)).sagaId),
    assertDone: ended(done),
    assertCleanSlate: ended(undone),
  };
}

export const scenarios = [
  scenario({
    definition: anyDefinition(createVolume),
    start: async (world) => {
      const { actions } = await askForVolume(world);
      return actions[0] as Action;
    },
    done: (_world, { status, deletedAt }) => assert.deepEqual([status, deletedAt], ['available', null]),
    undone: (_world, { deletedAt }) => assert.ok(deletedAt),
  }),
  scenario({
    definition: anyDefinition(attachVolume),
    start: async (world) => {
      const server = await standingServer(world, 'running');
      const { id, projectId, hostId } = await standingVolume(world);
      assert.notEqual(hostId, server.hostId);
      return world.volumes.attach(projectId, id, server.id, true);
    },
    done: (_world, { serverId, slot, hasData }) =>
      assert.deepEqual([serverId !== null, slot, hasData], [true, 0, true]),
    undone: (_world, { serverId, slot }) => assert.deepEqual([serverId, slot], [null, null]),
  }),
  scenario({
    definition: anyDefinition(detachVolume),
    start: async (world) => {
      const { id, projectId } = await standingVolume(world, await standingServer(world, 'running'));
      return world.volumes.detach(projectId, id);
    },
    done: (_world, { serverId, hasData }) => assert.deepEqual([serverId, hasData], [null, true]),
  }),
  scenario({
    definition: anyDefinition(resizeVolume),
    start: async (world) => {
      const { id, projectId } = await standingVolume(world, await standingServer(world, 'running'));
      return world.volumes.resize(projectId, id, 20);
    },
    done: (_world, { sizeGib }) => assert.equal(sizeGib, 20),
  }),
  scenario({
    definition: anyDefinition(deleteVolume),
    start: async (world) => {
      const { id, projectId } = await standingVolume(world);
      await world.volumes.delete(projectId, id);
      const [saga] = await world.store.list({ subject: { type: 'volume', id }, limit: 1 });
      return { sagaId: saga?.id } as Action;
    },
    done: (_world, { deletedAt }) => assert.ok(deletedAt),
  }),
];
