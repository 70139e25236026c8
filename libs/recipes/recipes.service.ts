import { Inject, Injectable } from '@nestjs/common';
import { DataSource, type EntityManager, IsNull } from 'typeorm';
import { type CreateRecipe, type RecipeSpec, recipeSpec, type UpdateRecipe } from '#libs/contracts';
import { isUniqueViolation, runInTransaction } from '#libs/database';
import { firstPage, type ListQuery, type Page, pageOf } from '#libs/listing';
import { checkRecipe } from './check-recipe.ts';
import type { CookState } from './cook.entity.ts';
import { ProjectRecipe, RecipeVersion } from './recipe.entity.ts';
import { RECIPE_SETTINGS, type RecipeSettings } from './recipe-settings.ts';
import { parseRecipeYaml, printRecipeYaml } from './recipe-yaml.ts';
import { recipeInvalid, recipeNotFound, recipesError } from './recipes.errors.ts';
import { Shelf } from './shelf.ts';
import { problemsIn } from './spec-problems.ts';

/** What has been made of a recipe so far, of whichever version. */
export interface RecipeStanding {
  readonly newestCook: { readonly id: number; readonly state: CookState; readonly version: number } | null;
  /** The newest that is there. */
  readonly imageId: number | null;
}

/** A recipe without what may be large in it. */
export type RecipeOutline = Omit<RecipeSpec, 'files' | 'first_boot_script'>;

export interface ListedRecipe extends RecipeStanding {
  readonly recipe: ProjectRecipe;
  readonly outline: RecipeOutline;
}

/** A recipe in one of its versions. */
export interface RecipeInVersion extends RecipeStanding {
  readonly recipe: ProjectRecipe;
  readonly version: RecipeVersion;
}

/** The recipes of projects. Each change makes a version; a version stays as it is. */
@Injectable()
export class RecipesService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly shelf: Shelf,
    @Inject(RECIPE_SETTINGS) private readonly settings: RecipeSettings,
  ) {}

  /** In their newest versions. Filters: name. Sorts: id, name, created, updated. */
  async list(projectId: number, query: ListQuery = firstPage): Promise<Page<ListedRecipe>> {
    const builder = this.dataSource
      .getRepository(ProjectRecipe)
      .createQueryBuilder('recipe')
      .where('recipe.projectId = :projectId', { projectId })
      .andWhere('recipe.deletedAt IS NULL');
    const { items, total } = await pageOf(builder, query, {
      id: 'recipe.id',
      filters: { name: 'recipe.name' },
      sorts: {
        id: 'recipe.id',
        name: 'recipe.name',
        created: 'recipe.createdAt',
        updated: 'recipe.updatedAt',
      },
    });
    const { manager } = this.dataSource;
    const ids = items.map(({ id }) => id);
    const standings = await standingsOf(manager, ids);
    const outlines = await manager.query<{ id: number; outline: RecipeOutline }[]>(
      `SELECT r.id, v.spec - 'files' - 'first_boot_script' AS outline
       FROM recipes r JOIN recipe_versions v ON v.recipe_id = r.id AND v.version = r.version WHERE r.id = ANY($1)`,
      [ids],
    );
    const outlineOf = new Map(outlines.map(({ id, outline }) => [id, outline]));
    const listed = items.flatMap((recipe) => {
      const outline = outlineOf.get(recipe.id);
      return outline ? [{ recipe, outline, ...standingIn(standings, recipe.id) }] : [];
    });
    return { items: listed, total };
  }

  /** In its newest version unless told. @throws DomainError `recipe_not_found`, `recipe_version_not_found` */
  async get(projectId: number, id: number, version?: number): Promise<RecipeInVersion> {
    const recipe = await this.own(this.dataSource.manager, projectId, id);
    return this.inVersion(recipe, version ?? recipe.version);
  }

  /** The newest version first. @throws DomainError `recipe_not_found` */
  async versions(projectId: number, id: number, query: ListQuery = firstPage): Promise<Page<RecipeVersion>> {
    await this.own(this.dataSource.manager, projectId, id);
    const builder = this.dataSource
      .getRepository(RecipeVersion)
      .createQueryBuilder('version')
      .select(['version.recipeId', 'version.version', 'version.createdAt'])
      .where('version.recipeId = :id', { id });
    const sort = [{ field: 'version', direction: 'desc' as const }];
    return pageOf(
      builder,
      { ...query, sort },
      { id: 'version.version', filters: {}, sorts: { version: 'version.version' } },
    );
  }

  /**
   * The same `id` again gets what was made first.
   * @throws DomainError `recipe_invalid`, `recipe_name_taken`, `recipe_limit_reached`
   */
  async create(projectId: number, id: number, body: CreateRecipe): Promise<RecipeInVersion> {
    const known = await this.dataSource.getRepository(ProjectRecipe).findOneBy({ id, projectId });
    if (known) return this.inVersion(known, known.version);
    const { yaml, ...fields } = body;
    const spec = await this.accept(yaml === undefined ? fields : { yaml });
    await this.naming(spec.name, async (manager) => {
      await this.assertRoom(manager, projectId);
      await manager.insert(ProjectRecipe, { id, projectId, name: spec.name });
      await manager.insert(RecipeVersion, { recipeId: id, version: 1, spec });
    });
    return this.get(projectId, id);
  }

  /**
   * Makes a version of it, unless nothing is different. What is missing among the fields stays as it is.
   * @throws DomainError `recipe_not_found`, `recipe_invalid`, `recipe_name_taken`, `recipe_changed`
   */
  async update(projectId: number, id: number, body: UpdateRecipe): Promise<RecipeInVersion> {
    const { yaml, if_version: seen, ...fields } = body;
    const now = await this.get(projectId, id);
    const spec = await this.accept(yaml === undefined ? { ...now.version.spec, ...fields } : { yaml });
    const { version } = now.recipe;
    if (seen !== undefined && seen !== version) throw changed(id, version);
    if (isSame(spec, now.version.spec)) return now;
    await this.naming(spec.name, async (manager) => {
      const [, count] = await manager.query<[unknown[], number]>(
        `UPDATE recipes SET version = version + 1, name = $3, updated_at = now()
         WHERE id = $1 AND version = $2 AND deleted_at IS NULL`,
        [id, version, spec.name],
      );
      // Somebody else was faster; what both have seen is not there any more.
      if (count === 0) throw changed(id, (await this.own(manager, projectId, id)).version);
      await manager.insert(RecipeVersion, { recipeId: id, version: version + 1, spec });
    });
    return this.get(projectId, id);
  }

  /**
   * Its images stay, and are deleted as others are.
   * @throws DomainError `recipe_not_found`, `recipe_being_cooked`
   */
  async delete(projectId: number, id: number): Promise<void> {
    await runInTransaction(this.dataSource, async (manager) => {
      await lockRecipe(manager, projectId, id);
      const [cook] = await manager.query<{ id: number }[]>(
        'SELECT id FROM cooks WHERE recipe_id = $1 AND finished_at IS NULL LIMIT 1',
        [id],
      );
      if (cook) {
        const message = `recipe ${id} is being cooked: cancel cook ${cook.id}, or wait for it`;
        throw recipesError('recipe_being_cooked', message, { cook: cook.id });
      }
      await manager.query('UPDATE recipes SET deleted_at = now() WHERE id = $1', [id]);
    });
  }

  /** @throws DomainError `recipe_invalid` with all that is wrong, and where it came as YAML the lines */
  private async accept(
    body: { readonly yaml: string } | Readonly<Record<string, unknown>>,
  ): Promise<RecipeSpec> {
    const { spec, lineOf } = typeof body.yaml === 'string' ? parseRecipeYaml(body.yaml) : ofFields(body);
    const problems = checkRecipe(spec, await this.shelf.stock());
    if (problems.length > 0) throw recipeInvalid(problems, lineOf);
    return spec;
  }

  private async assertRoom(manager: EntityManager, projectId: number): Promise<void> {
    const limit = this.settings.recipesPerProject;
    await manager.query('SELECT FROM projects WHERE id = $1 FOR NO KEY UPDATE', [projectId]);
    const used = await manager.getRepository(ProjectRecipe).countBy({ projectId, deletedAt: IsNull() });
    if (used < limit) return;
    const message = `a project may have ${limit} recipes, and has ${used}: delete one`;
    throw recipesError('recipe_limit_reached', message, { limit, used });
  }

  private async naming(name: string, work: (manager: EntityManager) => Promise<void>): Promise<void> {
    await runInTransaction(this.dataSource, work).catch((error: unknown) => {
      if (!isUniqueViolation(error, 'recipes_name')) throw error;
      throw recipesError('recipe_name_taken', `the project has a recipe named ${name}: choose another name`);
    });
  }

  private async own(manager: EntityManager, projectId: number, id: number): Promise<ProjectRecipe> {
    const recipe = await manager
      .getRepository(ProjectRecipe)
      .findOneBy({ id, projectId, deletedAt: IsNull() });
    if (!recipe) throw recipeNotFound(id);
    return recipe;
  }

  private async inVersion(recipe: ProjectRecipe, number: number): Promise<RecipeInVersion> {
    const { id } = recipe;
    const { manager } = this.dataSource;
    const version = await manager.getRepository(RecipeVersion).findOneBy({ recipeId: id, version: number });
    if (!version) {
      throw recipesError('recipe_version_not_found', `recipe ${id} has no version ${number}`);
    }
    return { recipe, version, ...standingIn(await standingsOf(manager, [id]), id) };
  }
}

type Standings = ReadonlyMap<number, RecipeStanding>;

async function standingsOf(manager: EntityManager, ids: readonly number[]): Promise<Standings> {
  const rows = await manager.query<
    { id: number; cook: RecipeStanding['newestCook']; image: number | null }[]
  >(
    `SELECT r.id, to_jsonb(c) AS cook, i.id AS image FROM unnest($1::bigint[]) AS r (id)
     LEFT JOIN LATERAL (SELECT id, state, version FROM cooks WHERE recipe_id = r.id
                        ORDER BY created_at DESC, id DESC LIMIT 1) c ON true
     LEFT JOIN LATERAL (SELECT id FROM images WHERE recipe_id = r.id AND status = 'available' AND deleted_at IS NULL
                        ORDER BY created_at DESC, id DESC LIMIT 1) i ON true`,
    [ids],
  );
  return new Map(rows.map(({ id, cook, image }) => [id, { newestCook: cook, imageId: image }]));
}

function standingIn(standings: Standings, id: number): RecipeStanding {
  return standings.get(id) ?? { newestCook: null, imageId: null };
}

/** The row of a recipe of a project, locked until the transaction ends. @throws DomainError `recipe_not_found` */
export async function lockRecipe(
  manager: EntityManager,
  projectId: number,
  id: number,
): Promise<ProjectRecipe> {
  const found = await manager
    .getRepository(ProjectRecipe)
    .findOne({ where: { id, projectId, deletedAt: IsNull() }, lock: { mode: 'pessimistic_write' } });
  if (!found) throw recipeNotFound(id);
  return found;
}

/** A recipe that came by its fields. @throws DomainError `recipe_invalid` */
function ofFields(fields: object): { spec: RecipeSpec; lineOf?: undefined } {
  const parsed = recipeSpec.safeParse(fields);
  if (!parsed.success) throw recipeInvalid(problemsIn(parsed.error));
  return { spec: parsed.data };
}

/** PostgreSQL keeps the keys of an object in an order of its own. */
function isSame(one: RecipeSpec, other: RecipeSpec): boolean {
  return printRecipeYaml(one) === printRecipeYaml(other);
}

function changed(id: number, version: number): Error {
  const message = `recipe ${id} has version ${version} by now: look at it, and make your change again`;
  return recipesError('recipe_changed', message, { version });
}
