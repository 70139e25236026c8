import { Controller, Get, Param, Query } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { z } from 'zod';
import { monthlyPrices } from '#libs/billing';
import { CatalogService } from '#libs/catalog';
import {
  byId,
  pricingResponse,
  serverTypeListQuery,
  serverTypeListResponse,
  serverTypeResponse,
} from '#libs/contracts';
import { firstPage } from '#libs/listing';
import { Endpoint } from '../http/endpoint.ts';
import { metaOf, toListQuery } from '../http/list-query.ts';
import { freeOfCharge, wirePriceMicro } from '../http/wire.ts';
import { CatalogPresenter, presentPrices, presentServerType } from './catalog.presenter.ts';

@Controller('v1')
export class ServerTypesController {
  constructor(
    private readonly catalog: CatalogService,
    private readonly presenter: CatalogPresenter,
    private readonly dataSource: DataSource,
  ) {}

  @Get('server_types')
  @Endpoint({ summary: 'List server types', access: 'read', response: serverTypeListResponse })
  async list(@Query({ schema: serverTypeListQuery }) parsed: z.output<typeof serverTypeListQuery>) {
    const query = toListQuery(parsed);
    const [page, locations] = await Promise.all([
      this.catalog.serverTypes(query),
      this.presenter.locations(),
    ]);
    return {
      server_types: page.items.map((type) => presentServerType(type, locations)),
      meta: metaOf(query, page),
    };
  }

  @Get('server_types/:id')
  @Endpoint({ summary: 'Get a server type', access: 'read', response: serverTypeResponse })
  async get(@Param({ schema: byId }) { id }: z.output<typeof byId>) {
    const [type, locations] = await Promise.all([this.catalog.serverType(id), this.presenter.locations()]);
    return { server_type: presentServerType(type, locations) };
  }

  @Get('pricing')
  @Endpoint({
    summary: 'All prices; what cannot be ordered here costs nothing',
    access: 'read',
    response: pricingResponse,
  })
  async pricing() {
    const [types, locations, kept] = await Promise.all([
      this.catalog.serverTypes(firstPage),
      this.presenter.locations(),
      monthlyPrices(this.dataSource.manager, ['snapshot/gib', 'backup/gib', 'volume/gib']),
    ]);
    return {
      pricing: {
        currency: this.presenter.currency,
        vat_rate: '0.00',
        server_types: types.items.map((type) => ({
          id: type.id,
          name: type.name,
          prices: presentPrices(type, locations),
        })),
        image: { price_per_gb_month: wirePriceMicro(kept['snapshot/gib']) },
        volume: { price_per_gb_month: wirePriceMicro(kept['volume/gib']) },
        floating_ip: { price_monthly: freeOfCharge },
        floating_ips: [],
        primary_ips: [],
        load_balancer_types: [],
        server_backup: {
          percentage: '0.00',
          servery: { price_per_gb_month: wirePriceMicro(kept['backup/gib']) },
        },
      },
    };
  }
}
