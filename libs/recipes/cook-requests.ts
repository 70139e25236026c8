import { Inject, Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { z } from 'zod';
import { runInTransaction } from '#libs/database';
import { newId } from '#libs/kernel';
import { OrdersService } from '#libs/orders';
import { SagaQueue } from '#libs/queue';
import { SagaStore, type SagaWakeUp, sagaRequest } from '#libs/saga';
import { Action, newAction } from '#libs/servers';
import { composeRecipe } from './compose-recipe.ts';
import { Cook } from './cook.entity.ts';
import { cookSubjectOf } from './cooks.service.ts';
import { RecipeVersion } from './recipe.entity.ts';
import { RECIPE_SETTINGS, type RecipeSettings } from './recipe-settings.ts';
import { recipesError } from './recipes.errors.ts';
import { lockRecipe } from './recipes.service.ts';
import { Shelf } from './shelf.ts';

/** How a cook is asked for; all else is read from its row when a step needs it. */
export const cookRecipeRequest = sagaRequest('cook-recipe', z.strictObject({ cookId: z.number().int() }));

/** How many cooks of a project may wait for their turn, the one that has it included. */
const COOKS_PER_PROJECT = 5;

export interface WantedCook {
  /** Made by `newId()`; the same one whenever the request is repeated. */
  readonly id: number;
  readonly accountId: number;
  readonly projectId: number;
  readonly recipeId: number;
  /** The newest unless told. */
  readonly version: number | undefined;
  readonly isForced: boolean;
}

export interface RequestedCook {
  readonly cook: Cook;
  readonly action: Action;
}

/** Asks for images of recipes, and calls that off. */
@Injectable()
export class CookRequests {
  constructor(
    private readonly dataSource: DataSource,
    private readonly sagas: SagaStore,
    private readonly queue: SagaQueue,
    private readonly shelf: Shelf,
    @Inject(OrdersService) private readonly orders: Pick<OrdersService, 'assertMayOrder'>,
    @Inject(RECIPE_SETTINGS) private readonly settings: RecipeSettings,
  ) {}

  /**
   * The packages are today's, whatever version of the recipe is cooked.
   * @throws DomainError `recipe_not_found`, `recipe_version_not_found`, `recipe_invalid` (the catalog has changed since it
   * was written), `cook_limit_reached`, and what an order may be refused for
   */
  async cook(wanted: WantedCook): Promise<RequestedCook> {
    const known = await this.find(wanted);
    if (known) return known;
    await this.orders.assertMayOrder(wanted.accountId);
    const stock = await this.shelf.stock();
    const { wakeUp, ...requested } = await runInTransaction(this.dataSource, async (manager) => {
      const recipe = await lockRecipe(manager, wanted.projectId, wanted.recipeId);
      const version = wanted.version ?? recipe.version;
      const { spec } = await loadVersion(manager, recipe.id, version);
      composeRecipe(spec, stock);
      await assertRoom(manager, wanted.projectId);
      return this.start(manager, wanted, { name: spec.name, version });
    });
    await this.queue.poke(wakeUp);
    return requested;
  }

  /**
   * What has been made of it by then is taken back.
   * @throws DomainError `cook_not_found`, `cook_over`
   */
  async cancel(projectId: number, id: number): Promise<Action> {
    return runInTransaction(this.dataSource, async (manager) => {
      const cook = await manager
        .getRepository(Cook)
        .findOne({ where: { id, projectId }, lock: { mode: 'pessimistic_write' } });
      if (!cook) throw recipesError('cook_not_found', `there is no cook ${id}`);
      const action = await manager
        .getRepository(Action)
        .findOneByOrFail({ cookId: id, command: 'cook_recipe' });
      const answer =
        action.sagaId === null
          ? 'finished'
          : await this.sagas.requestUndo(manager, action.sagaId, 'it was cancelled');
      if (cook.finishedAt !== null || answer !== 'requested') {
        throw recipesError('cook_over', `cook ${id} has ended: there is nothing to cancel`);
      }
      await manager.query(
        'UPDATE cooks SET cancel_asked_at = coalesce(cancel_asked_at, now()) WHERE id = $1',
        [id],
      );
      return action;
    });
  }

  private async find({ id, projectId }: WantedCook): Promise<RequestedCook | undefined> {
    const { manager } = this.dataSource;
    const cook = await manager.getRepository(Cook).findOneBy({ id, projectId });
    if (!cook) return undefined;
    return { cook, action: await manager.getRepository(Action).findOneByOrFail({ cookId: id }) };
  }

  private async start(
    manager: EntityManager,
    { id, accountId, projectId, recipeId, isForced }: WantedCook,
    { name, version }: { readonly name: string; readonly version: number },
  ): Promise<RequestedCook & { readonly wakeUp: SagaWakeUp }> {
    const sagaId = newId();
    await manager.insert(Cook, {
      ...{ id, accountId, projectId, recipeId, recipeName: name, version, isForced },
      ...{ currency: this.settings.currency, newImageId: newId() },
    });
    const action = newAction({ projectId, serverId: null, sagaId, command: 'cook_recipe', cookId: id });
    await manager.insert(Action, action);
    const options = { sagaId, actionId: action.id, subject: cookSubjectOf(id) };
    const wakeUp = await this.sagas.start(manager, cookRecipeRequest, { cookId: id }, options);
    return { cook: await manager.getRepository(Cook).findOneByOrFail({ id }), action, wakeUp };
  }
}

/** @throws DomainError `recipe_version_not_found` */
export async function loadVersion(
  manager: EntityManager,
  recipeId: number,
  version: number,
): Promise<RecipeVersion> {
  const found = await manager.getRepository(RecipeVersion).findOneBy({ recipeId, version });
  if (found) return found;
  throw recipesError('recipe_version_not_found', `recipe ${recipeId} has no version ${version}`);
}

/** Decided for one request of a project at a time until the transaction ends. @throws DomainError `cook_limit_reached` */
async function assertRoom(manager: EntityManager, projectId: number): Promise<void> {
  await manager.query('SELECT FROM projects WHERE id = $1 FOR NO KEY UPDATE', [projectId]);
  const [{ used }] = await manager.query<[{ used: number }]>(
    'SELECT count(*) AS used FROM cooks WHERE project_id = $1 AND finished_at IS NULL',
    [projectId],
  );
  if (used < COOKS_PER_PROJECT) return;
  const message = `a project may have ${COOKS_PER_PROJECT} cooks waiting: wait for one to end, or cancel one`;
  throw recipesError('cook_limit_reached', message, { limit: COOKS_PER_PROJECT, used });
}
