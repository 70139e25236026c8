import { Project } from '#libs/accounts';
import { type RecipeSpec, recipeSpec } from '#libs/contracts';
import { newId } from '#libs/kernel';
import { ProjectRecipe, RecipeVersion, type RequestedCook } from '#libs/recipes';
import type { ServerWorld } from './server-world.ts';

/** A recipe of the world's customer. */
export async function writeRecipe(
  { dataSource: { manager } }: ServerWorld,
  more: Partial<RecipeSpec> = {},
): Promise<ProjectRecipe> {
  const { id: projectId } = await manager.getRepository(Project).findOneByOrFail({});
  const [id, name] = [newId(), `recipe-${newId().toString(36)}`];
  await manager.insert(ProjectRecipe, { id, projectId, name });
  const spec = recipeSpec.parse({ name, packages: ['nginx'], ...more });
  await manager.insert(RecipeVersion, { recipeId: id, version: 1, spec });
  return manager.getRepository(ProjectRecipe).findOneByOrFail({ id });
}

/** The customer changes it: another version. */
export async function changeRecipe(
  { dataSource: { manager } }: ServerWorld,
  { id, name, version }: ProjectRecipe,
  more: Partial<RecipeSpec>,
): Promise<ProjectRecipe> {
  const spec = recipeSpec.parse({ name, ...more });
  await manager.insert(RecipeVersion, { recipeId: id, version: version + 1, spec });
  await manager.update(ProjectRecipe, { id }, { version: version + 1 });
  return manager.getRepository(ProjectRecipe).findOneByOrFail({ id });
}

/** The customer asks for an image of it. */
export async function askForCook(
  { dataSource: { manager }, cooks }: ServerWorld,
  { id: recipeId, projectId }: ProjectRecipe,
  { isForced = false }: { readonly isForced?: boolean } = {},
): Promise<RequestedCook> {
  const { accountId } = await manager.getRepository(Project).findOneByOrFail({ id: projectId });
  return cooks.cook({ id: newId(), accountId, projectId, recipeId, version: undefined, isForced });
}
