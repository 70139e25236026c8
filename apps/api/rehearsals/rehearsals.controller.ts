import { Body, Controller, Delete, Get, Inject, Param, Post, Query } from '@nestjs/common';
import type { z } from 'zod';
import { ENVIRONMENT, type Environment } from '#libs/config';
import {
  actionResponse,
  applyRehearsal,
  byId,
  type CreateRehearsal,
  createRehearsal,
  createRehearsalResponse,
  rehearsalListQuery,
  rehearsalListResponse,
  rehearsalOutputQuery,
  rehearsalOutputResponse,
  rehearsalResponse,
} from '#libs/contracts';
import { RehearsalRequests, RehearsalsService } from '#libs/rehearsals';
import { presentAction } from '../actions/action.presenter.ts';
import { ProjectId } from '../auth/principal.ts';
import { Endpoint } from '../http/endpoint.ts';
import { metaOf, toListQuery } from '../http/list-query.ts';
import { ResourceId } from '../idempotency/idempotency.interceptor.ts';
import { presentRehearsal, presentSummary } from './rehearsal.presenter.ts';

type ById = z.output<typeof byId>;

/** Upgrades that are tried on a clone of a server before the server itself. */
@Controller('v1')
export class RehearsalsController {
  constructor(
    private readonly requests: RehearsalRequests,
    private readonly rehearsals: RehearsalsService,
    @Inject(ENVIRONMENT) private readonly environment: Environment,
  ) {}

  @Post('servers/:id/rehearsals')
  @Endpoint({
    summary: 'Try a script on a clone of it, which opens no connection and is deleted at the end',
    access: 'write',
    response: createRehearsalResponse,
    status: 201,
    idempotent: true,
    audit: 'rehearsal.create',
  })
  async create(
    @ProjectId() projectId: number,
    @ResourceId() id: number,
    @Param({ schema: byId }) { id: serverId }: ById,
    @Body({ schema: createRehearsal }) body: CreateRehearsal,
  ) {
    const { rehearsal, action } = await this.requests.rehearse({
      ...{ id, projectId, serverId, currency: this.environment.SERVERY_CURRENCY },
      script: body.script,
      healthChecks: body.health_checks,
      timeoutSeconds: body.timeout_seconds,
      keepCloneHours: body.keep_clone_hours,
    });
    const made = await this.rehearsals.get(projectId, rehearsal.id);
    return { rehearsal: presentRehearsal(made), action: presentAction(action) };
  }

  @Get('rehearsals')
  @Endpoint({ summary: 'List rehearsals', access: 'read', response: rehearsalListResponse })
  async list(
    @ProjectId() projectId: number,
    @Query({ schema: rehearsalListQuery }) parsed: z.output<typeof rehearsalListQuery>,
  ) {
    const query = toListQuery(parsed);
    const page = await this.rehearsals.list(projectId, query);
    return { rehearsals: page.items.map(presentSummary), meta: metaOf(query, page) };
  }

  @Get('rehearsals/:id')
  @Endpoint({
    summary: 'Get a rehearsal: what the system was before and after the script, and what is different',
    access: 'read',
    response: rehearsalResponse,
  })
  async get(@ProjectId() projectId: number, @Param({ schema: byId }) { id }: ById) {
    return { rehearsal: presentRehearsal(await this.rehearsals.get(projectId, id)) };
  }

  @Get('rehearsals/:id/output')
  @Endpoint({
    summary:
      'Read what its script has printed, also while it runs; scripts print secrets, so not for tokens that only read',
    access: 'write',
    response: rehearsalOutputResponse,
  })
  async output(
    @ProjectId() projectId: number,
    @Param({ schema: byId }) { id }: ById,
    @Query({ schema: rehearsalOutputQuery }) { stage, after }: z.output<typeof rehearsalOutputQuery>,
  ) {
    const { text, next, isEnd, cutBytes } = await this.rehearsals.output(projectId, id, stage, after);
    return { output: { text, next, is_end: isEnd, cut_bytes: cutBytes } };
  }

  @Post('rehearsals/:id/actions/apply')
  @Endpoint({
    summary: 'Run its script on the server itself; where that fails, it is rolled back by itself',
    access: 'write',
    response: actionResponse,
    status: 201,
    idempotent: true,
    audit: 'rehearsal.apply',
  })
  async apply(
    @ProjectId() projectId: number,
    @Param({ schema: byId }) { id }: ById,
    @Body({ schema: applyRehearsal }) body: z.output<typeof applyRehearsal>,
  ) {
    const action = await this.requests.apply(projectId, id, { evenIfFailed: body.even_if_failed });
    return { action: presentAction(action) };
  }

  @Delete('rehearsals/:id')
  @Endpoint({
    summary: 'Forget a rehearsal with the clone that it keeps; one that is under way is given up',
    access: 'write',
    audit: 'rehearsal.delete',
  })
  async delete(@ProjectId() projectId: number, @Param({ schema: byId }) { id }: ById) {
    await this.rehearsals.delete(projectId, id);
  }
}
