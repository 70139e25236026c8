import type { EntityManager } from 'typeorm';
import { OUR_DEVICES } from '#libs/hypervisor';
import { Image, ImageContentsService } from '#libs/images';
import { Cook, cookRecipeRequest } from '#libs/recipes';
import { deps, PermanentError, type StepContext, saga } from '#libs/saga';
import { takeTurn } from './cook-turn.ts';
import {
  type CookContext,
  changesOf,
  composed,
  concludeUndone,
  formerImage,
  insertCookedImage,
  loadCook,
  type Params,
  progressTo,
  watched,
} from './cooking.ts';
import {
  billPrivateImage,
  bringToAllHosts,
  noteBrought,
  noteTaken,
  takeFromAllHosts,
} from './private-image.ts';
import type { WorkflowDeps } from './workflow-deps.ts';

const TURN_DEADLINE_SECONDS = 24 * 3600;
/** Each ends by itself long before, but where it waits for other cooks. */
const LONG = { timeoutSeconds: 25 * 3600 } as const;
/** What failed for no reason of the recipe's is cooked once more. */
const TWICE = { tries: 2, firstSeconds: 5, maxSeconds: 5 } as const;

/**
 * Makes an image of a customer's recipe with the packages of today. Where it would be the recipe's former image, byte for
 * byte, that is the result, and none is made.
 */
export const cookRecipe = saga(cookRecipeRequest, deps<WorkflowDeps>())
  .wait('turn', {
    title: 'Waiting for its turn',
    deadlineSeconds: TURN_DEADLINE_SECONDS,
    everySeconds: 2,
    transact: (manager, ctx) => takeTurn(manager, ctx),
    undoTransact: concludeUndone,
  })
  .step('choose', {
    title: 'Choosing packages',
    ...LONG,
    do: async (ctx) => {
      const cook = await loadCook(ctx);
      const span = { from: 0, to: 4, title: 'choosing packages' };
      const chosen = await watched(ctx, span, async (watch) => {
        const { recipe } = await composed(ctx, cook);
        return ctx.deps.recipes.kitchen.choose({ cookId: cook.id, recipe }, watch);
      });
      const former = await formerImage(ctx.deps.dataSource.manager, cook.recipeId);
      const isKnown = former?.fingerprint === chosen.fingerprint && !cook.isForced;
      return { ...chosen, formerImageId: former?.id ?? null, isKnown };
    },
    commit: async (manager, { params }, { formerImageId }) => {
      await manager.getRepository(Cook).update({ id: params.cookId }, { formerImageId });
    },
    noUndo: 'only looks',
  })
  .step('cook', {
    title: 'Cooking',
    ...LONG,
    retry: TWICE,
    do: async (ctx) => {
      if (ctx.outputs.choose.isKnown) return { made: null };
      const cook = await loadCook(ctx);
      const span = { from: 4, to: 90, title: 'cooking' };
      const { path: _, ...disk } = await watched(ctx, span, async (watch) => {
        const { recipe, parts } = await composed(ctx, cook);
        const cooked = await ctx.deps.recipes.kitchen.cook({ cookId: cook.id, recipe }, watch);
        const { fingerprint } = cooked;
        await ctx.deps.dataSource.getRepository(Cook).update({ id: cook.id }, { fingerprint, parts });
        return cooked;
      });
      const former = await formerImage(ctx.deps.dataSource.manager, cook.recipeId);
      // The same bytes, which their owner has: they are not kept, or billed, twice.
      return { made: former?.sha256 === disk.sha256 ? null : disk };
    },
    commit: async (manager, ctx, { made }) => {
      if (made) await insertCookedImage(manager, ctx, made);
    },
    undo: removeFiles,
    undoTransact: async (manager, { params }) => {
      const { newImageId } = await manager.getRepository(Cook).findOneByOrFail({ id: params.cookId });
      await manager.query('DELETE FROM image_packages WHERE image_id = $1', [newImageId]);
      await manager.query('DELETE FROM image_sboms WHERE image_id = $1', [newImageId]);
      await manager.query(
        `UPDATE images SET status = 'unavailable', deleted_at = coalesce(deleted_at, now()) WHERE id = $1`,
        [newImageId],
      );
    },
  })
  .step('publish', {
    title: 'Bringing it to the hosts',
    ...LONG,
    do: async (ctx) => {
      const { made } = ctx.outputs.cook;
      if (!made) return { hostIds: [], refusals: [] };
      const { kitchen } = ctx.deps.recipes;
      const { cookId } = ctx.params;
      const disk = await kitchen.find(cookId);
      if (!disk) {
        const message = 'the disk that was cooked is not there any more: cook again';
        throw new PermanentError('cook_lost', message);
      }
      const { newImageId } = await loadCook(ctx);
      const { dataSource } = ctx.deps;
      const contents = await kitchen.contents(cookId);
      await dataSource.transaction((manager) =>
        new ImageContentsService(dataSource).keep(manager, newImageId, contents),
      );
      const { path, sha256, virtualSizeBytes } = disk;
      const volumeName = cookedVolume(newImageId);
      const file = { volumeName, path, format: 'qcow2', sha256, virtualSizeBytes } as const;
      return bringToAllHosts(ctx, file, OUR_DEVICES, (index, of) =>
        progressTo(ctx, { from: 90 + (9 * index) / of, to: 90 + (9 * (index + 1)) / of }),
      );
    },
    commit: async (manager, ctx, brought) => {
      const { newImageId } = await manager.getRepository(Cook).findOneByOrFail({ id: ctx.params.cookId });
      await noteBrought(manager, ctx.deps, newImageId, brought);
    },
    undo: async (ctx) => takeFromAllHosts(ctx.deps, cookedVolume((await loadCook(ctx)).newImageId)),
    undoTransact: async (manager, { params }, taken) => {
      const { newImageId } = await manager.getRepository(Cook).findOneByOrFail({ id: params.cookId });
      await noteTaken(manager, newImageId, taken);
    },
  })
  .step('hand-over', {
    title: 'Handing it over',
    do: async (ctx) => {
      await changesOf(ctx, ctx.outputs.cook.made !== null);
      return removeFiles(ctx);
    },
    noUndo: 'the image goes when publish is undone, and nothing needs the files any more',
  })
  // Cancelled while this is recorded, it would be billed and gone.
  .pointOfNoReturn('the image is on its hosts, and all that is left is to say so', 'take_back')
  .step('conclude', {
    title: 'Noting what came of it',
    transact: async (manager, ctx) => {
      await handOver(manager, ctx);
      return {};
    },
  })
  .build();

/** The golden image on hosts that a cooked one is. */
function cookedVolume(imageId: number): string {
  return `recipe-${imageId}.qcow2`;
}

async function removeFiles({ params, deps: { recipes } }: CookContext) {
  await recipes.kitchen.remove(params.cookId);
  return {};
}

type Made = StepContext<
  Params,
  { cook: { made: { fileSizeBytes: number } | null }; choose: { formerImageId: number | null } },
  WorkflowDeps
>;

/** The image can be ordered, and is billed, from the transaction on that ends the cook. */
async function handOver(manager: EntityManager, { params, outputs }: Made): Promise<void> {
  const cook = await manager.getRepository(Cook).findOneByOrFail({ id: params.cookId });
  const { made } = outputs.cook;
  if (made) {
    await manager.query(`UPDATE images SET status = 'available', created_at = now() WHERE id = $1`, [
      cook.newImageId,
    ]);
    const image = await manager.getRepository(Image).findOneByOrFail({ id: cook.newImageId });
    await billPrivateImage(manager, cook, image, made.fileSizeBytes);
  }
  await manager.query(
    `UPDATE cooks SET state = 'available', stage = 'done', percent = 100, finished_at = now(),
                      image_id = $2, is_unchanged = $3, message = $4
     WHERE id = $1`,
    [
      cook.id,
      made ? cook.newImageId : cook.formerImageId,
      made === null,
      made ? 'the image is ready' : 'nothing has changed: the former image is the one',
    ],
  );
}
