import { Body, Controller, Delete, Get, Param, Post, Put, Query } from '@nestjs/common';
import type { z } from 'zod';
import {
  byId,
  type CreateRecipe,
  createRecipe,
  RECIPE_BODY_BYTES,
  recipeListQuery,
  recipeListResponse,
  recipeResponse,
  recipeVersionListQuery,
  recipeVersionListResponse,
  recipeVersionParams,
  type UpdateRecipe,
  updateRecipe,
} from '#libs/contracts';
import { RecipesService } from '#libs/recipes';
import { ProjectId } from '../auth/principal.ts';
import { BodyLimit } from '../http/body-parser.ts';
import { Endpoint } from '../http/endpoint.ts';
import { metaOf, toListQuery } from '../http/list-query.ts';
import { wireTime } from '../http/wire.ts';
import { ResourceId } from '../idempotency/idempotency.interceptor.ts';
import { presentListed, presentRecipe } from './recipe.presenter.ts';

type ById = z.output<typeof byId>;

/** What customers cook images of their own of. */
@Controller('v1/recipes')
export class RecipesController {
  constructor(private readonly recipes: RecipesService) {}

  @Post()
  @BodyLimit(RECIPE_BODY_BYTES)
  @Endpoint({
    summary: 'Write a recipe, by its fields or as YAML',
    access: 'write',
    response: recipeResponse,
    status: 201,
    idempotent: true,
    audit: 'recipe.create',
  })
  async create(
    @ProjectId() projectId: number,
    @ResourceId() id: number,
    @Body({ schema: createRecipe }) body: CreateRecipe,
  ) {
    return { recipe: presentRecipe(await this.recipes.create(projectId, id, body)) };
  }

  @Get()
  @Endpoint({
    summary: 'List recipes in their newest versions',
    access: 'read',
    response: recipeListResponse,
  })
  async list(
    @ProjectId() projectId: number,
    @Query({ schema: recipeListQuery }) parsed: z.output<typeof recipeListQuery>,
  ) {
    const query = toListQuery(parsed);
    const page = await this.recipes.list(projectId, query);
    return { recipes: page.items.map(presentListed), meta: metaOf(query, page) };
  }

  @Get(':id')
  @Endpoint({
    summary: 'Get a recipe in its newest version, by its fields and as YAML',
    access: 'read',
    response: recipeResponse,
  })
  async get(@ProjectId() projectId: number, @Param({ schema: byId }) { id }: ById) {
    return { recipe: presentRecipe(await this.recipes.get(projectId, id)) };
  }

  @Get(':id/versions')
  @Endpoint({
    summary: 'List the versions of a recipe, the newest first',
    access: 'read',
    response: recipeVersionListResponse,
  })
  async versions(
    @ProjectId() projectId: number,
    @Param({ schema: byId }) { id }: ById,
    @Query({ schema: recipeVersionListQuery }) parsed: z.output<typeof recipeVersionListQuery>,
  ) {
    const query = toListQuery(parsed);
    const page = await this.recipes.versions(projectId, id, query);
    const versions = page.items.map(({ version, createdAt }) => ({ version, created: wireTime(createdAt) }));
    return { versions, meta: metaOf(query, page) };
  }

  @Get(':id/versions/:version')
  @Endpoint({ summary: 'Get a recipe as it was', access: 'read', response: recipeResponse })
  async version(
    @ProjectId() projectId: number,
    @Param({ schema: recipeVersionParams }) { id, version }: z.output<typeof recipeVersionParams>,
  ) {
    return { recipe: presentRecipe(await this.recipes.get(projectId, id, version)) };
  }

  @Put(':id')
  @BodyLimit(RECIPE_BODY_BYTES)
  @Endpoint({
    summary: 'Change a recipe: what is different makes a new version, and the former ones stay',
    access: 'write',
    response: recipeResponse,
    audit: 'recipe.update',
  })
  async update(
    @ProjectId() projectId: number,
    @Param({ schema: byId }) { id }: ById,
    @Body({ schema: updateRecipe }) body: UpdateRecipe,
  ) {
    return { recipe: presentRecipe(await this.recipes.update(projectId, id, body)) };
  }

  @Delete(':id')
  @Endpoint({
    summary: 'Delete a recipe with all its versions; images that were cooked of it stay',
    access: 'write',
    audit: 'recipe.delete',
  })
  async delete(@ProjectId() projectId: number, @Param({ schema: byId }) { id }: ById) {
    await this.recipes.delete(projectId, id);
  }
}
