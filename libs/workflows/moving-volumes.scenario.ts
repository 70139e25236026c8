import assert from 'node:assert/strict';
import { anyDefinition, type SagaScenario } from '#libs/saga/harness';
import type { Volume } from '#libs/volumes';
import { attachVolume } from './attach-volume.saga.ts';
import {
  assertKept,
  assertSound,
  attachToServerWorld,
  createVolumeWorld,
  destroyServerWorld,
  removeVolumes,
  type ServerWorld,
  standingServer,
  volumeOf,
  writtenVolume,
} from './harness/index.ts';

/** A volume with data is on another host than the server that it is attached to. */
const attaching: SagaScenario<ServerWorld> = {
  createWorld: createVolumeWorld,
  destroyWorld: destroyServerWorld,
  attach: attachToServerWorld,
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

export const scenarios = [attaching];
