import { afterAll, beforeAll, expect, it } from 'vitest';
import type { WorldAddress } from '#libs/saga/harness';
import { exportOfSaga } from './export.scenario.ts';
import { importUpload } from './harness/importing.ts';
import {
  attachToServerWorld,
  createServerWorld,
  destroyServerWorld,
  type ServerWorld,
} from './harness/server-world.ts';
import { finish } from './harness/standing-server.ts';

let address: WorldAddress;
let world: ServerWorld;
beforeAll(async () => {
  address = await createServerWorld();
  world = await attachToServerWorld(address);
});
afterAll(async () => {
  await world.close();
  await destroyServerWorld(address);
});

it('what was imported can be taken home again', { timeout: 120_000 }, async () => {
  const { image, action: importing } = await importUpload(world);
  await finish(world, importing);
  const { action } = await world.exports.ofImage(Number(image.projectId), image.id, 'ova');
  await finish(world, action);
  expect(await exportOfSaga(world, Number(action.sagaId))).toMatchObject({ state: 'available' });
});
