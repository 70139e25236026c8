import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { firstPrice } from '#libs/billing';
import type { RecipeSpec } from '#libs/contracts';
import { runInTransaction } from '#libs/database';
import { Image } from '#libs/images';
import { DomainError } from '#libs/kernel';
import { Cook, type ImageCook } from '#libs/recipes';
import { runToEnd, type WorldAddress } from '#libs/saga/harness';
import { type Action, Server, SnapshotsService } from '#libs/servers';
import { takeTurn } from './cook-turn.ts';
import { assertSound } from './harness/assert-sound.ts';
import { askForCook, changeRecipe, writeRecipe } from './harness/cooking.ts';
import { renewArchive } from './harness/recipes-world.ts';
import {
  attachToServerWorld,
  createServerWorld,
  destroyServerWorld,
  type ServerWorld,
} from './harness/server-world.ts';
import { finish, order, placedHost } from './harness/standing-server.ts';
import { workflows } from './index.ts';

let address: WorldAddress;
let world: ServerWorld;
beforeAll(async () => {
  address = await createServerWorld();
  world = await attachToServerWorld(address);
  await firstPrice(world.dataSource.manager, { item: 'snapshot/gib', title: 'Snapshot', hourlyMicro: 1000 });
});
afterAll(async () => {
  await world.close();
  await destroyServerWorld(address);
});
beforeEach(() => renewArchive(address.folder ?? '', '1.0'));
afterEach(() => assertSound(world));

const reload = (id: number) => world.dataSource.getRepository(Cook).findOneByOrFail({ id });
const imagesOf = (recipeId: number) =>
  world.dataSource.getRepository(Image).find({ where: { recipeId }, order: { createdAt: 'ASC' } });
const openSpans = (imageId: number) =>
  world.dataSource.query('SELECT component FROM usage_spans WHERE server_id = $1 AND closed_at IS NULL', [
    imageId,
  ]);

async function cooked(...asked: Parameters<typeof askForCook>): Promise<Cook> {
  const { cook, action } = await askForCook(...asked);
  await finish(world, action);
  return reload(cook.id);
}

/** How a cook ends in a kitchen where some of it is done otherwise. */
async function endIn(kitchen: Partial<ImageCook>, action: Action) {
  const { recipes } = world.deps;
  const odd = Object.assign(Object.create(recipes.kitchen), kitchen) as ImageCook;
  const deps = { ...world.deps, recipes: { ...recipes, kitchen: odd } };
  return runToEnd({ ...world, sagas: workflows(deps) }, 'cook-recipe', Number(action.sagaId), []);
}

describe('a recipe that is cooked again', () => {
  it('has the former image where neither it nor the packages have changed', async () => {
    const recipe = await writeRecipe(world);
    const first = await cooked(world, recipe);
    const second = await cooked(world, recipe);
    expect(second).toMatchObject({
      ...{ state: 'available', isUnchanged: true, imageId: first.imageId, formerImageId: first.imageId },
      changes: { packages: [], files: { added: [], removed: [], changed: [] } },
    });
    expect(await imagesOf(recipe.id)).toHaveLength(1);
    expect(await openSpans(Number(first.imageId))).toEqual([{ component: 'snapshot' }]);
  });

  it('is cooked in earnest where that is asked for, and the same bytes are kept once', async () => {
    const recipe = await writeRecipe(world);
    const first = await cooked(world, recipe);
    const again = await cooked(world, recipe, { isForced: true });
    expect(again).toMatchObject({
      isUnchanged: true,
      imageId: first.imageId,
      fingerprint: first.fingerprint,
    });
    expect(again.keptBytes).toBeGreaterThan(100);
    expect(await imagesOf(recipe.id)).toHaveLength(1);
  });

  it('has another image with the packages of then, says what is different, and keeps the former one', async () => {
    const recipe = await writeRecipe(world, { packages: ['nginx', 'git'] });
    const first = await cooked(world, recipe);
    await renewArchive(address.folder ?? '', '1.1');
    const files = [{ path: '/etc/motd', content: 'x', mode: '0644', owner: 'root', group: 'root' }];
    const second = await cooked(
      world,
      await changeRecipe(world, recipe, { packages: ['nginx', 'curl'], files }),
    );
    expect(second).toMatchObject({ version: 2, isUnchanged: false, formerImageId: first.imageId });
    expect(second.changes?.files).toEqual({ added: ['/etc/motd'], removed: [], changed: [] });
    expect(second.changes?.packages).toEqual(
      expect.arrayContaining([
        { name: 'git', before: '1.0', after: null },
        { name: 'nginx', before: '1.0', after: '1.1' },
      ]),
    );
    const [former, latter] = await imagesOf(recipe.id);
    expect([former?.status, former?.deprecatedAt, former?.deletedAt]).toEqual(['available', null, null]);
    expect(latter).toMatchObject({
      ...{ id: second.imageId, recipeVersion: 2, cookId: second.id, type: 'snapshot' },
      labels: { recipe: recipe.name, 'recipe-version': '2' },
    });
  });

  it('is cooked anew where its owner has deleted the former image', async () => {
    const recipe = await writeRecipe(world);
    const first = await cooked(world, recipe);
    await new SnapshotsService(world.dataSource).delete(recipe.projectId, Number(first.imageId));
    const second = await cooked(world, recipe);
    expect(second).toMatchObject({ isUnchanged: false, formerImageId: null, changes: null });
    expect(second.imageId).not.toBe(first.imageId);
    expect(await openSpans(Number(first.imageId))).toEqual([]);
    await world.deps.hypervisor.deleteImage(await placedHost(world), `recipe-${first.imageId}.qcow2`);
  });
});

describe('a cook', () => {
  it('makes an image that servers are ordered from like any other', async () => {
    const cook = await cooked(world, await writeRecipe(world, { components: ['nginx'] }));
    const image = await world.dataSource.getRepository(Image).findOneByOrFail({ id: Number(cook.imageId) });
    await finish(world, (await order(world, image)).action);
    const server = await world.dataSource.getRepository(Server).findOneByOrFail({ imageId: image.id });
    expect(server).toMatchObject({ observed: 'running', verifiedBy: 'identity' });
    expect(server.access.map(({ service }) => service)).toEqual(['ssh', 'HTTP']);
  });

  it('makes an image whose servers cost what its base costs more, whatever it is called', async () => {
    const price = { title: 'x', hourlyMicro: 1000 };
    await firstPrice(world.dataSource.manager, { item: 'image/wordpress', ...price });
    await firstPrice(world.dataSource.manager, { item: 'image/mail', ...price });
    const itemOf = async (more: Partial<RecipeSpec>) => {
      const { imageId } = await cooked(world, await writeRecipe(world, more));
      const image = await world.dataSource.getRepository(Image).findOneByOrFail({ id: Number(imageId) });
      await finish(world, (await order(world, image)).action);
      const { id } = await world.dataSource.getRepository(Server).findOneByOrFail({ imageId: image.id });
      const spans = await world.dataSource.query<{ item: string }[]>(
        `SELECT price_item AS item FROM usage_spans
         WHERE server_id = $1 AND component = 'image' AND closed_at IS NULL`,
        [id],
      );
      return spans.map(({ item }) => item);
    };
    expect(await itemOf({ base: 'wordpress' })).toEqual(['image/wordpress']);
    expect(await itemOf({ name: 'mail' })).toEqual([]);
  });

  it('that is called off is over at once, and leaves nothing', async () => {
    const { cook, action } = await askForCook(world, await writeRecipe(world));
    await world.cooks.cancel(cook.projectId, cook.id);
    expect(await endIn({}, action)).toMatchObject({ state: 'undone' });
    expect(await reload(cook.id)).toMatchObject({ state: 'cancelled', errorCode: null, imageId: null });
    await expect(world.cooks.cancel(cook.projectId, cook.id)).rejects.toMatchObject({ code: 'cook_over' });
    expect(await imagesOf(cook.recipeId)).toEqual([]);
  });

  it('that is called off while it cooks is told so', async () => {
    const { cook, action } = await askForCook(world, await writeRecipe(world));
    const ended = await endIn(
      {
        cook: async (_order, { signal }) => {
          await world.cooks.cancel(cook.projectId, cook.id);
          return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
        },
      },
      action,
    );
    expect(ended).toMatchObject({ state: 'undone' });
    expect(await reload(cook.id)).toMatchObject({ state: 'cancelled', imageId: null });
    expect(await world.deps.recipes.kitchen.present()).toEqual([]);
  });

  it('is ended when it has worked for too long, and not for having waited for another cook', async () => {
    const { cook, action } = await askForCook(world, await writeRecipe(world));
    const working =
      "UPDATE cooks SET started_at = now() - interval '1 day', worked_seconds = $2 WHERE id = $1";
    const worked = async (seconds: number) => {
      const before = await reload(cook.id);
      await world.dataSource.query(working, [cook.id, seconds]);
      return before.workedSeconds;
    };
    const looks = () => new Promise((resolve) => setTimeout(resolve, 2500));
    const ended = await endIn(
      {
        choose: async (order, watch) => {
          watch.onProgress({ stage: 'waiting', percent: 0, message: 'for another one' });
          await worked(3599);
          await looks();
          expect(await reload(cook.id)).toMatchObject({ stage: 'waiting', message: 'for another one' });
          expect(await worked(3599)).toBeLessThan(3600);
          return world.deps.recipes.kitchen.choose(order, watch);
        },
        cook: async (_order, { signal }) =>
          new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
      },
      action,
    );
    expect(ended).toMatchObject({ state: 'undone', error: { code: 'cook_deadline_exceeded' } });
    expect(await reload(cook.id)).toMatchObject({ state: 'failed', errorCode: 'cook_deadline_exceeded' });
  });

  it('names the packages that Debian does not have, by their places', async () => {
    const { cook, action } = await askForCook(
      world,
      await writeRecipe(world, { packages: ['git', 'nosuch'] }),
    );
    const message = 'Debian bookworm has no package nosuch';
    const details = { packages: ['nosuch'] };
    const choose = () =>
      Promise.reject(new DomainError('invalid_input', 'cook_packages_unknown', message, { details }));
    expect(await endIn({ choose }, action)).toMatchObject({ state: 'undone' });
    expect(await reload(cook.id)).toMatchObject({
      ...{ state: 'failed', errorCode: 'cook_packages_unknown', errorMessage: message },
      errorFields: [{ name: 'packages.1', messages: ['Debian has no package nosuch'] }],
    });
  });

  it.each([
    ['cook_no_space', 'unavailable', 'cook_no_room', /try again later/, 1],
    ['cook_tools_missing', 'unavailable', 'cook_unavailable', /operator/, 1],
    ['cook_packages_unavailable', 'unavailable', 'cook_packages_unavailable', /^[^/]*try again later$/, 2],
    ['cook_out_of_memory', 'limit', 'cook_out_of_memory', /too much/, 1],
    ['cook_step_failed', 'internal', 'cook_step_failed', /^the build failed: chown: invalid user$/, 1],
  ] as const)('says no more of %s than its owner can use', async (code, kind, told, message, tries) => {
    const { cook, action } = await askForCook(world, await writeRecipe(world));
    const details = { lastLines: ['a', 'chown: invalid user', ''] };
    let tried = 0;
    const failing = () => {
      tried += 1;
      return Promise.reject(new DomainError(kind, code, 'too much: /srv/kitchen/x', { details }));
    };
    expect(await endIn({ cook: failing }, action)).toMatchObject({ state: 'undone' });
    const ended = await reload(cook.id);
    expect([ended.state, ended.errorCode]).toEqual(['failed', told]);
    expect(ended.errorMessage).toMatch(message);
    expect(tried).toBe(tries);
  });

  it('has its turn after those that were asked for before, and after its project’s own', async () => {
    const recipe = await writeRecipe(world);
    const [first, second] = [await askForCook(world, recipe), await askForCook(world, recipe)];
    const turn = (id: number) =>
      runInTransaction(world.dataSource, (manager) =>
        takeTurn(manager, { params: { cookId: id }, deps: world.deps }),
      );
    expect(await turn(second.cook.id)).toBeUndefined();
    expect(await turn(first.cook.id)).toEqual({});
    expect(await turn(second.cook.id)).toBeUndefined();
    await world.cooks.cancel(recipe.projectId, first.cook.id);
    await endIn({}, first.action);
    expect(await turn(second.cook.id)).toEqual({});
    await finish(world, second.action);
  });
});

describe('a first boot script that fails', () => {
  it('keeps a server from being handed over, and says why', async () => {
    const recipe = await writeRecipe(world, { first_boot_script: 'exit 3' });
    const { imageId } = await cooked(world, recipe);
    const image = await world.dataSource.getRepository(Image).findOneByOrFail({ id: Number(imageId) });
    expect(image.appliance.runsFirstBoot).toBe(true);
    const { name } = await placedHost(world);
    world.fleet.change(name, { guestFault: 'first_boot_fails' });
    const { action } = await order(world, image);
    const ended = await runToEnd(world, 'provision-server', Number(action.sagaId), []);
    world.fleet.change(name, { guestFault: null });
    expect(ended).toMatchObject({
      state: 'undone',
      error: {
        code: 'first_boot_script_failed',
        message: 'the first boot script of the image ended with 3: there is no shop',
      },
    });
    await finish(world, (await order(world, image)).action);
  });
});
