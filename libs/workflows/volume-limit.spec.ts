import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  attachToServerWorld,
  createVolumeWorld,
  destroyServerWorld,
  finish,
  type ServerWorld,
  standingVolume,
  volumeOf,
} from './harness/index.ts';

let address: Awaited<ReturnType<typeof createVolumeWorld>>;
let world: ServerWorld;

beforeAll(async () => {
  address = await createVolumeWorld();
  world = await attachToServerWorld(address);
});

afterAll(async () => {
  await world.close();
  await destroyServerWorld(address);
});

it('volumes that grow at one time do not become more together than their account may have', async () => {
  const [one, other] = [await standingVolume(world), await standingVolume(world)];
  await world.dataSource.query('UPDATE accounts SET max_volume_gib = 100');
  const growing = await world.volumes.resize(one.projectId, one.id, 90);
  const beyond = world.volumes.resize(other.projectId, other.id, 90);
  await expect(beyond).rejects.toMatchObject({
    code: 'volume_limit_exceeded',
    details: { limit: 100, used: 100, asked: 80 },
  });
  await finish(world, growing);
  expect((await volumeOf(world, one.id)).sizeGib).toBe(90);
  expect((await volumeOf(world, other.id)).sizeGib).toBe(10);
});
