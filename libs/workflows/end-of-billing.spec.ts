import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { firstPrice } from '#libs/billing';
import { runInTransaction } from '#libs/database';
import type { Hypervisor } from '#libs/hypervisor';
import { Image } from '#libs/images';
import { Cook } from '#libs/recipes';
import { runToEnd, type WorldAddress } from '#libs/saga/harness';
import { lockServer, requestDeletion, Server } from '#libs/servers';
import { assertSound } from './harness/assert-sound.ts';
import { askForCook, writeRecipe } from './harness/cooking.ts';
import {
  attachToServerWorld,
  createServerWorld,
  destroyServerWorld,
  type ServerWorld,
} from './harness/server-world.ts';
import { finish, standingServer } from './harness/standing-server.ts';
import { asked, fallInArrears, leaveArrears, lift, settle, suspend } from './harness/suspending.ts';
import { workflows } from './index.ts';

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

/** A world whose owner deletes the server while the host answers the last step of a workflow. */
function deletingMeanwhile(method: 'listVolumes') {
  let deletion: Promise<{ sagaId: number | null }> | undefined;
  const hypervisor = new Proxy(world.deps.hypervisor, {
    get(target, name) {
      const value = Reflect.get(target, name);
      if (name !== method) return typeof value === 'function' ? value.bind(target) : value;
      return async (...args: Parameters<Hypervisor['listVolumes']>) => {
        deletion ??= world.commands.delete(server.projectId, server.id);
        await deletion;
        return target.listVolumes(...args);
      };
    },
  });
  const deps = { ...world.deps, hypervisor };
  return { real: { ...world, deps, sagas: workflows(deps) }, deleted: () => deletion };
}

const openSpans = () =>
  world.dataSource.query('SELECT server_id, component FROM usage_spans WHERE closed_at IS NULL');

describe('a server that is deleted while the last step of a workflow is at work', () => {
  it('leaves no snapshot that is billed and is not there', async () => {
    const { real, deleted } = deletingMeanwhile('listVolumes');
    const wanted = { description: null, labels: {} };
    const { action, imageId } = await world.commands.createImage(server.projectId, server.id, wanted);
    const { state } = await runToEnd(real, 'create-image', Number(action.sagaId), []);
    const image = await world.dataSource.getRepository(Image).findOneByOrFail({ id: imageId });
    expect([state, image.status, image.deletedAt !== null]).toEqual(['undone', 'unavailable', true]);
    const deletion = await deleted();
    const end = await runToEnd(world, 'delete-server', Number(deletion?.sagaId), []);
    expect(end.state).toBe('done');
    expect(await openSpans()).toEqual([]);
  });

  it('is deleted, though it is being rolled back', async () => {
    const wanted = { description: null, labels: {} };
    const made = await world.commands.createImage(server.projectId, server.id, wanted);
    await finish(world, made.action);
    const image = await world.dataSource.getRepository(Image).findOneByOrFail({ id: made.imageId });
    const action = await world.commands.rollBack(server.projectId, server.id, image);
    const { real, deleted } = deletingMeanwhile('listVolumes');
    const { state, step, error } = await runToEnd(real, 'roll-back-server', Number(action.sagaId), []);
    expect({ state, step, error: error?.code }).toEqual({
      state: 'undone',
      step: expect.anything(),
      error: 'undo_requested',
    });
    const deletion = await deleted();
    const end = await runToEnd(world, 'delete-server', Number(deletion?.sagaId), []);
    expect(end.state).toBe('done');
    await assertSound(world);
  });
});

it('an image that is cancelled while it is handed over is not billed', async () => {
  const { cook, action } = await askForCook(world, await writeRecipe(world));
  const { kitchen } = world.deps.recipes;
  const cancelling: typeof kitchen = Object.assign(Object.create(kitchen), {
    async remove(id: number) {
      const { step, direction } = await world.store.get(Number(action.sagaId));
      if (step === 'hand-over' && direction === 'do') await world.cooks.cancel(cook.projectId, cook.id);
      return kitchen.remove(id);
    },
  });
  const deps = { ...world.deps, recipes: { ...world.deps.recipes, kitchen: cancelling } };
  const real = { ...world, deps, sagas: workflows(deps) };
  const { state } = await runToEnd(real, 'cook-recipe', Number(action.sagaId), []);
  const ended = await world.dataSource.getRepository(Cook).findOneByOrFail({ id: cook.id });
  const spans = await world.dataSource.query(
    'SELECT component FROM usage_spans WHERE server_id = $1 AND closed_at IS NULL',
    [cook.newImageId],
  );
  expect({ state, cook: ended.state, image: ended.imageId, spans }).toEqual({
    state: 'undone',
    cook: 'cancelled',
    image: null,
    spans: [],
  });
});

it('a server that is to be deleted while it is given back is billed no more', async () => {
  await suspend(world, server, 'billing');
  await fallInArrears(world, server);
  await settle(world);
  await leaveArrears(world, server);
  await lift(world, server, 'billing');
  const { hypervisor } = world.deps;
  const setNetwork = hypervisor.setNetwork.bind(hypervisor);
  let isAsked = false;
  hypervisor.setNetwork = async (...args) => {
    await setNetwork(...args);
    if (isAsked) return;
    isAsked = true;
    // As the expiry of a rehearsal's clone asks for it.
    await runInTransaction(world.dataSource, async (manager) =>
      requestDeletion(manager, world.store, await lockServer(manager, server.id)),
    );
  };
  const action = await asked(world);
  if (action) await finish(world, action);
  expect(isAsked).toBe(true);
  const left = await world.dataSource.query<{ id: number; name: string }[]>(
    'SELECT id, name FROM sagas WHERE finished_at IS NULL',
  );
  for (const { id, name } of left) await runToEnd(world, name, id, []);
  const { deletedAt } = await world.dataSource.getRepository(Server).findOneByOrFail({ id: server.id });
  expect([deletedAt !== null, await openSpans()]).toEqual([true, []]);
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
  expect(await openSpans()).toEqual([]);
  await assertSound(world);
  await leaveArrears(world, server);
});
