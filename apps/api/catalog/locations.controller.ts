import { Controller, Get, Param, Query } from '@nestjs/common';
import type { z } from 'zod';
import { CatalogService } from '#libs/catalog';
import {
  byId,
  datacenterListResponse,
  datacenterResponse,
  locationListQuery,
  locationListResponse,
  locationResponse,
} from '#libs/contracts';
import { pageOfArray } from '#libs/listing';
import { ApiError } from '../http/api-error.ts';
import { Endpoint } from '../http/endpoint.ts';
import { metaOf, toListQuery } from '../http/list-query.ts';
import { CatalogPresenter, presentDatacenter, presentLocation } from './catalog.presenter.ts';

type ListQueryInput = z.output<typeof locationListQuery>;

@Controller('v1')
export class LocationsController {
  constructor(
    private readonly catalog: CatalogService,
    private readonly presenter: CatalogPresenter,
  ) {}

  @Get('locations')
  @Endpoint({ summary: 'List locations', access: 'read', response: locationListResponse })
  async list(@Query({ schema: locationListQuery }) parsed: ListQueryInput) {
    const query = toListQuery(parsed);
    const page = await this.catalog.locations(query);
    return { locations: page.items.map(presentLocation), meta: metaOf(query, page) };
  }

  @Get('locations/:id')
  @Endpoint({ summary: 'Get a location', access: 'read', response: locationResponse })
  async get(@Param({ schema: byId }) { id }: z.output<typeof byId>) {
    return { location: presentLocation(await this.catalog.location(id)) };
  }

  @Get('datacenters')
  @Endpoint({
    summary: 'List data centres: one in each location',
    access: 'read',
    response: datacenterListResponse,
  })
  async listDatacenters(@Query({ schema: locationListQuery }) parsed: ListQueryInput) {
    const query = toListQuery(parsed);
    const context = await this.presenter.context();
    const all = context.locations.map((location) => presentDatacenter(location, context));
    const page = pageOfArray(all, query, { id: ({ id }) => id, name: ({ name }) => name });
    const [first] = all;
    if (!first) throw new ApiError('not_found', 'no location is set up yet');
    return { datacenters: page.items, recommendation: first.id, meta: metaOf(query, page) };
  }

  @Get('datacenters/:id')
  @Endpoint({ summary: 'Get a data centre', access: 'read', response: datacenterResponse })
  async getDatacenter(@Param({ schema: byId }) { id }: z.output<typeof byId>) {
    const [location, context] = await Promise.all([this.catalog.location(id), this.presenter.context()]);
    return { datacenter: presentDatacenter(location, context) };
  }
}
