import { Body, Controller, Get, Param, Post, Query } from '@nestjs/common';
import type { z } from 'zod';
import {
  actionResponse,
  allCooksQuery,
  byId,
  type CreateCook,
  cookListQuery,
  cookListResponse,
  cookLogQuery,
  cookLogResponse,
  cookResponse,
  createCook,
  createCookResponse,
} from '#libs/contracts';
import { CookRequests, CooksService, RecipesService } from '#libs/recipes';
import { presentAction } from '../actions/action.presenter.ts';
import { CurrentPrincipal, type Principal, ProjectId } from '../auth/principal.ts';
import { Endpoint } from '../http/endpoint.ts';
import { metaOf, type ParsedListQuery, toListQuery } from '../http/list-query.ts';
import { ResourceId } from '../idempotency/idempotency.interceptor.ts';
import { presentCook } from './cook.presenter.ts';

type ById = z.output<typeof byId>;

/** The making of images of recipes. */
@Controller('v1')
export class CooksController {
  constructor(
    private readonly requests: CookRequests,
    private readonly cooks: CooksService,
    private readonly recipes: RecipesService,
  ) {}

  @Post('recipes/:id/cooks')
  @Endpoint({
    summary:
      'Make an image of a recipe with the packages of today; where nothing has changed, the former image is the one',
    access: 'write',
    response: createCookResponse,
    status: 201,
    idempotent: true,
    audit: 'cook.create',
  })
  async create(
    @CurrentPrincipal() { accountId, projectId }: Principal,
    @ResourceId() id: number,
    @Param({ schema: byId }) { id: recipeId }: ById,
    @Body({ schema: createCook }) { version, force: isForced }: CreateCook,
  ) {
    const { action } = await this.requests.cook({ id, accountId, projectId, recipeId, version, isForced });
    return { cook: presentCook(await this.cooks.get(projectId, id)), action: presentAction(action) };
  }

  @Get('recipes/:id/cooks')
  @Endpoint({ summary: 'List the cooks of a recipe', access: 'read', response: cookListResponse })
  async ofRecipe(
    @ProjectId() projectId: number,
    @Param({ schema: byId }) { id }: ById,
    @Query({ schema: cookListQuery }) parsed: z.output<typeof cookListQuery>,
  ) {
    await this.recipes.get(projectId, id);
    return this.page(projectId, { ...parsed, recipe: [String(id)] });
  }

  @Get('cooks')
  @Endpoint({ summary: 'List cooks', access: 'read', response: cookListResponse })
  list(
    @ProjectId() projectId: number,
    @Query({ schema: allCooksQuery }) parsed: z.output<typeof allCooksQuery>,
  ) {
    return this.page(projectId, parsed);
  }

  @Get('cooks/:id')
  @Endpoint({
    summary: 'Get a cook: how far it is, what came of it, and what is different from the image before',
    access: 'read',
    response: cookResponse,
  })
  async get(@ProjectId() projectId: number, @Param({ schema: byId }) { id }: ById) {
    return { cook: presentCook(await this.cooks.get(projectId, id)) };
  }

  @Get('cooks/:id/log')
  @Endpoint({
    summary: 'Read what its tools have printed, also while it runs',
    access: 'read',
    response: cookLogResponse,
  })
  async log(
    @ProjectId() projectId: number,
    @Param({ schema: byId }) { id }: ById,
    @Query({ schema: cookLogQuery }) { after }: z.output<typeof cookLogQuery>,
  ) {
    const { text, next, isEnd, cutBytes } = await this.cooks.log(projectId, id, after);
    return { log: { text, next, is_end: isEnd, cut_bytes: cutBytes } };
  }

  @Post('cooks/:id/actions/cancel')
  @Endpoint({
    summary: 'Call a cook off; nothing of it is left',
    access: 'write',
    response: actionResponse,
    status: 201,
    audit: 'cook.cancel',
  })
  async cancel(@ProjectId() projectId: number, @Param({ schema: byId }) { id }: ById) {
    return { action: presentAction(await this.requests.cancel(projectId, id)) };
  }

  private async page(projectId: number, parsed: ParsedListQuery) {
    const query = toListQuery(parsed);
    const page = await this.cooks.list(projectId, query);
    return { cooks: page.items.map(presentCook), meta: metaOf(query, page) };
  }
}
