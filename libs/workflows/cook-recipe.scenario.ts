import assert from 'node:assert/strict';
import { Image } from '#libs/images';
import { Cook } from '#libs/recipes';
import { anyDefinition, type SagaScenario } from '#libs/saga/harness';
import { SnapshotsService } from '#libs/servers';
import { cookRecipe } from './cook-recipe.saga.ts';
import { assertSound } from './harness/assert-sound.ts';
import { askForCook, writeRecipe } from './harness/cooking.ts';
import {
  attachToServerWorld,
  createServerWorld,
  destroyServerWorld,
  type ServerWorld,
} from './harness/server-world.ts';
import { placedHost } from './harness/standing-server.ts';

const cookScenario: SagaScenario<ServerWorld> = {
  definition: anyDefinition(cookRecipe),
  createWorld: () => createServerWorld(),
  destroyWorld: destroyServerWorld,
  attach: attachToServerWorld,
  async start(world) {
    const { action } = await askForCook(world, await writeRecipe(world));
    return Number(action.sagaId);
  },
  async assertDone(world, sagaId) {
    const cook = await cookOf(world, sagaId);
    assert.deepEqual(
      [cook.state, cook.stage, cook.percent, cook.isUnchanged, cook.imageId],
      ['available', 'done', 100, false, cook.newImageId],
    );
    await assertSwept(world);
    const image = await imageOf(world, cook);
    assert.ok(image);
    assert.deepEqual(
      [image.status, image.recipeId, image.recipeVersion, image.cookId, image.deletedAt],
      ['available', cook.recipeId, 1, cook.id, null],
    );
    const [{ packages }] = await world.dataSource.query<[{ packages: number }]>(
      'SELECT count(*) AS packages FROM image_packages WHERE image_id = $1',
      [image.id],
    );
    assert.equal(packages, image.packageCount);
    assert.ok(cook.keptBytes > 0);
    await new SnapshotsService(world.dataSource).delete(Number(image.projectId), image.id);
    await world.deps.hypervisor.deleteImage(await placedHost(world), image.volumeName);
    await assertSound(world);
  },
  async assertCleanSlate(world, sagaId) {
    const cook = await cookOf(world, sagaId);
    assert.deepEqual([cook.state, cook.imageId], ['failed', null]);
    assert.match(String(cook.errorCode), /^(planted|given_up)$/);
    assert.ok(cook.finishedAt);
    await assertSwept(world);
    const image = await imageOf(world, cook);
    assert.ok(!image || (image.status === 'unavailable' && image.deletedAt));
    for (const table of ['image_packages', 'image_sboms', 'host_images']) {
      const left = await world.dataSource.query(`SELECT FROM ${table} WHERE image_id = $1`, [
        cook.newImageId,
      ]);
      assert.deepEqual([table, left], [table, []]);
    }
  },
};

export const scenarios = [cookScenario];

export async function cookOf(world: ServerWorld, sagaId: number): Promise<Cook> {
  const { subject } = await world.store.get(sagaId);
  return world.dataSource.getRepository(Cook).findOneByOrFail({ id: subject?.id ?? 0 });
}

function imageOf({ dataSource }: ServerWorld, { newImageId: id }: Cook): Promise<Image | null> {
  return dataSource.getRepository(Image).findOneBy({ id });
}

/** Nothing of a cook lies about, on hosts or in the kitchen, and nothing is billed that is not there. */
async function assertSwept(world: ServerWorld): Promise<void> {
  await assertSound(world);
  assert.deepEqual(await world.deps.recipes.kitchen.present(), []);
}
