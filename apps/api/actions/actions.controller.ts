import { Controller, Get, Param, Query } from '@nestjs/common';
import type { z } from 'zod';
import { actionListQuery, actionListResponse, actionResponse, byId } from '#libs/contracts';
import { ActionsService } from '#libs/servers';
import { ProjectId } from '../auth/principal.ts';
import { Endpoint } from '../http/endpoint.ts';
import { metaOf, toListQuery } from '../http/list-query.ts';
import { ActionPresenter, presentAction } from './action.presenter.ts';

/** All actions of the project, by either path: also those on exports and images, which lock no server. */
@Controller(['v1/actions', 'v1/servers/actions'])
export class ActionsController {
  constructor(
    private readonly actions: ActionsService,
    private readonly presenter: ActionPresenter,
  ) {}

  @Get()
  @Endpoint({ summary: 'List actions', access: 'read', response: actionListResponse })
  async list(
    @ProjectId() projectId: number,
    @Query({ schema: actionListQuery }) parsed: z.output<typeof actionListQuery>,
  ) {
    const query = toListQuery(parsed);
    const page = await this.actions.list(projectId, query);
    return { actions: page.items.map(presentAction), meta: metaOf(query, page) };
  }

  @Get(':id')
  @Endpoint({
    summary: 'Get an action with the real steps of its workflow',
    access: 'read',
    response: actionResponse,
  })
  async get(@ProjectId() projectId: number, @Param({ schema: byId }) { id }: z.output<typeof byId>) {
    return { action: await this.presenter.presentWithSteps(await this.actions.get(projectId, id)) };
  }
}
