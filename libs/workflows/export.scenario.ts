import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Export, ExportExpiry, ExportsService } from '#libs/exports';
import { Image } from '#libs/images';
import { anyDefinition, type SagaScenario } from '#libs/saga/harness';
import { exportDisk } from './export-disk.saga.ts';
import {
  assertSound,
  attachToServerWorld,
  createServerWorld,
  destroyServerWorld,
  type ServerWorld,
} from './harness/index.ts';

/** Names of all that lies in the folder of exports. */
export function exportFiles({ deps }: ServerWorld): Promise<string[]> {
  return readdir(dirname(deps.exports.store.folderOf(1))).catch(() => []);
}

export async function exportOfSaga({ dataSource, store }: ServerWorld, sagaId: number): Promise<Export> {
  const { subject } = await store.get(sagaId);
  return dataSource.getRepository(Export).findOneByOrFail({ id: subject?.id ?? 0 });
}

/** A golden image, which takes one step more than what was frozen. */
const exportScenario: SagaScenario<ServerWorld> = {
  definition: anyDefinition(exportDisk),
  createWorld: () => createServerWorld(),
  destroyWorld: destroyServerWorld,
  attach: attachToServerWorld,
  start: async (world) => {
    const { id } = await world.dataSource.getRepository(Image).findOneByOrFail({ name: 'web' });
    const [project] = await world.dataSource.query<[{ id: number }]>('SELECT id FROM projects');
    const { action } = await world.exports.ofImage(project.id, id, 'qcow2');
    return Number(action.sagaId);
  },
  async assertDone(world, sagaId) {
    await assertSound(world);
    const { id, projectId, state, progress, sha256 } = await exportOfSaga(world, sagaId);
    assert.deepEqual({ state, progress }, { state: 'available', progress: 100 });
    assert.deepEqual(await exportFiles(world), [String(id)]);
    assert.equal((await world.deps.exports.store.find(id))?.manifest.file.sha256, sha256);
    await new ExportsService(world.dataSource, world.store).delete(projectId, id);
    await new ExportExpiry(world.dataSource, world.deps.exports.store).run();
    assert.deepEqual(await exportFiles(world), []);
  },
  async assertCleanSlate(world, sagaId) {
    await assertSound(world);
    const { state, errorCode } = await exportOfSaga(world, sagaId);
    assert.deepEqual({ state, errorCode }, { state: 'failed', errorCode: 'planted' });
    assert.deepEqual(await exportFiles(world), []);
  },
};

export const scenarios = [exportScenario];
