import { Body, Controller, Get, Param, Post, Query } from '@nestjs/common';
import type { z } from 'zod';
import {
  byId,
  createQuote,
  orderListQuery,
  orderListResponse,
  orderResponse,
  quoteResponse,
} from '#libs/contracts';
import { OrdersService, QuotesService } from '#libs/orders';
import { CurrentPrincipal, type Principal, ProjectId } from '../auth/principal.ts';
import { CatalogPresenter } from '../catalog/catalog.presenter.ts';
import { Endpoint } from '../http/endpoint.ts';
import { metaOf, toListQuery } from '../http/list-query.ts';
import { unknownReferences } from '../servers/to-order-request.ts';
import { OrderPresenter, presentQuote } from './order.presenter.ts';

@Controller('v1')
export class OrdersController {
  constructor(
    private readonly orders: OrdersService,
    private readonly quotes: QuotesService,
    private readonly presenter: OrderPresenter,
    private readonly catalog: CatalogPresenter,
  ) {}

  @Post('quotes')
  @Endpoint({
    summary: 'What a server would cost, and whether an order would be taken now',
    access: 'read',
    response: quoteResponse,
  })
  async quote(
    @CurrentPrincipal() principal: Principal,
    @Body({ schema: createQuote }) body: z.output<typeof createQuote>,
  ) {
    const { server_type: serverType, image, location } = body;
    const { projectId } = principal;
    const request = { projectId, serverType, image, ...(location === undefined ? {} : { location }) };
    const quote = await this.quotes.quote(principal.accountId, request).catch(unknownReferences);
    return { quote: presentQuote(quote, this.catalog.currency) };
  }

  @Get('orders')
  @Endpoint({ summary: 'List orders', access: 'read', response: orderListResponse })
  async list(
    @ProjectId() projectId: number,
    @Query({ schema: orderListQuery }) parsed: z.output<typeof orderListQuery>,
  ) {
    const query = toListQuery(parsed);
    const page = await this.orders.list(projectId, query);
    const orders = await Promise.all(page.items.map((order) => this.presenter.present(order)));
    return { orders, meta: metaOf(query, page) };
  }

  @Get('orders/:id')
  @Endpoint({ summary: 'Get an order and how its payment stands', access: 'read', response: orderResponse })
  async get(@ProjectId() projectId: number, @Param({ schema: byId }) { id }: z.output<typeof byId>) {
    return { order: await this.presenter.present(await this.orders.get(projectId, id)) };
  }
}
