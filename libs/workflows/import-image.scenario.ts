import assert from 'node:assert/strict';
import { Image } from '#libs/images';
import { anyDefinition, type SagaScenario } from '#libs/saga/harness';
import { SnapshotsService } from '#libs/servers';
import { assertSound } from './harness/assert-sound.ts';
import { assertNoFiles, importFromUrl, importUpload } from './harness/importing.ts';
import {
  attachToServerWorld,
  createServerWorld,
  destroyServerWorld,
  type ServerWorld,
} from './harness/server-world.ts';
import { placedHost } from './harness/standing-server.ts';
import { importImage } from './import-image.saga.ts';

let count = 0;

/** Every second case has a file that is fetched, the others one that was uploaded. */
const importScenario: SagaScenario<ServerWorld> = {
  definition: anyDefinition(importImage),
  createWorld: () => createServerWorld(),
  destroyWorld: destroyServerWorld,
  attach: attachToServerWorld,
  async start(world) {
    const { action } = await (count++ % 2 === 0 ? importFromUrl(world) : importUpload(world));
    return Number(action.sagaId);
  },
  async assertDone(world, sagaId) {
    await assertSound(world);
    await assertNoFiles(world);
    const { id, projectId, status, virtualSizeBytes, appliance, importReport, volumeName } = await imageOf(
      world,
      sagaId,
    );
    assert.deepEqual(
      [status, virtualSizeBytes, appliance.minimumDiskGib, importReport?.partitionTable],
      ['available', 2 * 1024 ** 3, 2, 'mbr'],
    );
    await new SnapshotsService(world.dataSource).delete(Number(projectId), id);
    await world.deps.hypervisor.deleteImage(await placedHost(world), volumeName);
    await assertSound(world);
  },
  async assertCleanSlate(world, sagaId) {
    await assertSound(world);
    await assertNoFiles(world);
    const { status, deletedAt } = await imageOf(world, sagaId);
    assert.equal(status, 'unavailable');
    assert.ok(deletedAt);
  },
};

export const scenarios = [importScenario];

async function imageOf(world: ServerWorld, sagaId: number): Promise<Image> {
  const { subject } = await world.store.get(sagaId);
  return world.dataSource.getRepository(Image).findOneByOrFail({ id: subject?.id ?? 0 });
}
