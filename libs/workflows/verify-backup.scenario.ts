import assert from 'node:assert/strict';
import { Image } from '#libs/images';
import { anyDefinition, type SagaScenario } from '#libs/saga/harness';
import { BackupsService, RestoreTest, RestoreTests } from '#libs/servers';
import { assertSound } from './harness/assert-sound.ts';
import {
  attachToServerWorld,
  createServerWorld,
  destroyServerWorld,
  type ServerWorld,
  silentQueue,
} from './harness/server-world.ts';
import { finish, standingServer } from './harness/standing-server.ts';
import { verifyBackup } from './verify-backup.saga.ts';

export const EVERY_HOUR = { aDay: 1000, fromHour: 0, untilHour: 24 };

/** The world's server has a backup, of which no test is remembered. */
export async function backedUp(world: ServerWorld): Promise<Image> {
  const { projectId, id: serverId } = await standingServer(world, 'running');
  const images = world.dataSource.getRepository(Image);
  if (!(await images.existsBy({ serverId, type: 'backup', status: 'available' }))) {
    await new BackupsService(world.dataSource, world.commands).enable(projectId, serverId, {});
    const wanted = { type: 'backup', madeBy: 'plan', description: null, labels: {} } as const;
    await finish(world, (await world.commands.createImage(projectId, serverId, wanted)).action);
  }
  await world.dataSource.query('DELETE FROM restore_tests');
  await world.dataSource.query(
    `UPDATE images SET restore_tested_at = NULL, restore_checks = '{}', restore_failure = NULL`,
  );
  return images.findOneByOrFail({ serverId, type: 'backup', status: 'available' });
}

/** Begins the test that is due. @returns its saga's id */
export function testDue(world: ServerWorld, budget = EVERY_HOUR, now?: Date): Promise<number | undefined> {
  return new RestoreTests(world.dataSource, world.store, silentQueue).startDue(budget, now);
}

export async function tested(world: ServerWorld): Promise<{ test: RestoreTest; image: Image }> {
  const test = await world.dataSource.getRepository(RestoreTest).findOneByOrFail({});
  const image = await world.dataSource.getRepository(Image).findOneByOrFail({ id: test.imageId });
  return { test, image };
}

const verifyScenario: SagaScenario<ServerWorld> = {
  definition: anyDefinition(verifyBackup),
  createWorld: () => createServerWorld(),
  destroyWorld: destroyServerWorld,
  attach: attachToServerWorld,
  async start(world) {
    await backedUp(world);
    return Number(await testDue(world));
  },
  async assertDone(world) {
    await assertSound(world);
    const { test, image } = await tested(world);
    assert.deepEqual([test.state, image.restoreFailure], ['passed', null]);
    assert.deepEqual(image.restoreChecks, ['started', 'agent', 'file_systems', 'health']);
    assert.ok(image.restoreTestedAt);
  },
  async assertCleanSlate(world) {
    await assertSound(world);
    const { test, image } = await tested(world);
    assert.deepEqual([test.state, image.restoreTestedAt], ['called_off', null]);
  },
};

export const scenarios = [verifyScenario];
