import { afterEach, beforeEach, expect, it } from 'vitest';
import { firstPrice } from '#libs/billing';
import { Image } from '#libs/images';
import type { WorldAddress } from '#libs/saga/harness';
import type { Server } from '#libs/servers';
import { assertSound } from './harness/assert-sound.ts';
import {
  attachToServerWorld,
  createServerWorld,
  destroyServerWorld,
  type ServerWorld,
} from './harness/server-world.ts';
import { finish, standingServer } from './harness/standing-server.ts';
import { fallInArrears, leaveArrears, settle, suspend } from './harness/suspending.ts';

let address: WorldAddress;
let world: ServerWorld;
let server: Server;
beforeEach(async () => {
  address = await createServerWorld();
  world = await attachToServerWorld(address);
  await firstPrice(world.dataSource.manager, { item: 'snapshot/gib', title: 'Snapshot', hourlyMicro: 1000 });
  server = await standingServer(world, 'running');
});
afterEach(async () => {
  await world.close();
  await destroyServerWorld(address);
});

const imageOf = (id: number) => world.dataSource.getRepository(Image).findOneByOrFail({ id });
const spansOf = (id: number) =>
  world.dataSource.query('SELECT component FROM usage_spans WHERE closed_at IS NULL AND server_id = $1', [
    id,
  ]);

it('a purge takes the snapshots too, protected ones as well, and ends their billing', async () => {
  const wanted = { description: null, labels: {} };
  const { action, imageId } = await world.commands.createImage(server.projectId, server.id, wanted);
  await finish(world, action);
  await world.dataSource.getRepository(Image).update({ id: imageId }, { isDeleteProtected: true });
  await suspend(world, server, 'billing');
  await fallInArrears(world, server);
  await settle(world);
  expect([(await imageOf(imageId)).deletedAt, await spansOf(imageId)]).toEqual([
    null,
    [{ component: 'snapshot' }],
  ]);
  await world.dataSource.query(`UPDATE arrears SET step = 'purge' WHERE closed_at IS NULL`);
  await settle(world);
  expect((await imageOf(imageId)).deletedAt).toBeInstanceOf(Date);
  expect(await world.dataSource.query('SELECT component FROM usage_spans WHERE closed_at IS NULL')).toEqual(
    [],
  );
  await assertSound(world);
  await leaveArrears(world, server);
});
