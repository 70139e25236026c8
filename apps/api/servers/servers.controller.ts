import { Body, Controller, Delete, Get, Inject, Param, Post, Put, Query } from '@nestjs/common';
import type { z } from 'zod';
import { ENVIRONMENT, type Environment } from '#libs/config';
import {
  actionResponse,
  byId,
  type CloneServer,
  type CreateServer,
  cloneServer,
  createServer,
  createServerResponse,
  serverListQuery,
  serverListResponse,
  serverResponse,
  updateServer,
} from '#libs/contracts';
import { CloneRequests, OrdersService } from '#libs/orders';
import { ServerCommands, ServersService } from '#libs/servers';
import { presentAction } from '../actions/action.presenter.ts';
import { CurrentPrincipal, type Principal, ProjectId } from '../auth/principal.ts';
import { Endpoint } from '../http/endpoint.ts';
import { metaOf, toListQuery } from '../http/list-query.ts';
import { ResourceId } from '../idempotency/idempotency.interceptor.ts';
import { passwordDelivery } from './password-delivery.ts';
import { ServerPresenter } from './server.presenter.ts';
import { toOrderRequest, unknownReferences } from './to-order-request.ts';

@Controller('v1/servers')
export class ServersController {
  constructor(
    private readonly servers: ServersService,
    private readonly orders: OrdersService,
    private readonly clones: CloneRequests,
    private readonly commands: ServerCommands,
    private readonly presenter: ServerPresenter,
    @Inject(ENVIRONMENT) private readonly environment: Environment,
  ) {}

  @Get()
  @Endpoint({ summary: 'List servers', access: 'read', response: serverListResponse })
  async list(
    @ProjectId() projectId: number,
    @Query({ schema: serverListQuery }) parsed: z.output<typeof serverListQuery>,
  ) {
    const query = toListQuery(parsed);
    const page = await this.servers.list(projectId, query);
    return { servers: await this.presenter.present(page.items), meta: metaOf(query, page) };
  }

  @Post()
  @Endpoint({
    summary: 'Order a server',
    audit: 'server.create',
    access: 'write',
    response: createServerResponse,
    status: 201,
    idempotent: true,
  })
  async create(
    @CurrentPrincipal() principal: Principal,
    @ResourceId() id: number,
    @Body({ schema: createServer }) body: CreateServer,
  ) {
    const request = toOrderRequest(id, body, principal, this.environment.SERVERY_CURRENCY);
    const placed = await this.orders.placeServer(request).catch(unknownReferences);
    return {
      server: await this.presenter.presentOne(placed.server),
      action: presentAction(placed.action),
      next_actions: [],
      root_password: passwordDelivery(principal) === 'answer' ? placed.rootPassword : null,
    };
  }

  @Post(':id/clone')
  @Endpoint({
    summary: 'Order a copy of a server, while it runs or not',
    audit: 'server.clone',
    access: 'write',
    response: createServerResponse,
    status: 201,
    idempotent: true,
  })
  async clone(
    @ProjectId() projectId: number,
    @Param({ schema: byId }) { id: originalId }: z.output<typeof byId>,
    @ResourceId() serverId: number,
    @Body({ schema: cloneServer }) body: CloneServer,
  ) {
    const placed = await this.clones.clone({
      serverId,
      projectId,
      originalId,
      currency: this.environment.SERVERY_CURRENCY,
      name: body.name,
      labels: body.labels ?? {},
      kind: body.exact ? 'exact' : 'safe',
      network: body.network ?? 'isolated',
      holdsTimers: body.hold_timers,
      startAfterCreate: body.start_after_create,
    });
    return {
      server: await this.presenter.presentOne(placed.server),
      action: presentAction(placed.action),
      next_actions: [],
      root_password: null,
    };
  }

  @Get(':id')
  @Endpoint({ summary: 'Get a server', access: 'read', response: serverResponse })
  async get(@ProjectId() projectId: number, @Param({ schema: byId }) { id }: z.output<typeof byId>) {
    return { server: await this.presenter.presentOne(await this.servers.get(projectId, id)) };
  }

  @Put(':id')
  @Endpoint({
    summary: 'Rename or relabel a server',
    audit: 'server.update',
    access: 'write',
    response: serverResponse,
  })
  async update(
    @ProjectId() projectId: number,
    @Param({ schema: byId }) { id }: z.output<typeof byId>,
    @Body({ schema: updateServer }) { name, labels }: z.output<typeof updateServer>,
  ) {
    const change = { ...(name === undefined ? {} : { name }), ...(labels === undefined ? {} : { labels }) };
    return { server: await this.presenter.presentOne(await this.servers.update(projectId, id, change)) };
  }

  @Delete(':id')
  @Endpoint({
    summary: 'Delete a server and all its data',
    audit: 'server.delete',
    access: 'write',
    response: actionResponse,
  })
  async delete(@ProjectId() projectId: number, @Param({ schema: byId }) { id }: z.output<typeof byId>) {
    return { action: presentAction(await this.commands.delete(projectId, id)) };
  }
}
