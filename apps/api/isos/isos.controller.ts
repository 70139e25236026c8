import { Controller, Get, Param, Query } from '@nestjs/common';
import type { z } from 'zod';
import { byId, isoListQuery, isoListResponse, isoResponse } from '#libs/contracts';
import { type Iso, IsosService } from '#libs/isos';
import type { Page } from '#libs/listing';
import { ARCHITECTURE } from '../catalog/image.presenter.ts';
import { Endpoint } from '../http/endpoint.ts';
import { metaOf, toListQuery } from '../http/list-query.ts';
import { presentIso } from './iso.presenter.ts';

const nothing: Page<Iso> = { items: [], total: 0 };

/** What can be put into the CD drive of a server. */
@Controller('v1/isos')
export class IsosController {
  constructor(private readonly isos: IsosService) {}

  @Get()
  @Endpoint({ summary: 'List ISO images', access: 'read', response: isoListResponse })
  async list(@Query({ schema: isoListQuery }) parsed: z.output<typeof isoListQuery>) {
    const { architecture, include_architecture_wildcard: _none, ...rest } = parsed;
    const query = toListQuery(rest);
    const canMatch = architecture?.includes(ARCHITECTURE) ?? true;
    const page = canMatch ? await this.isos.list(query) : nothing;
    return { isos: page.items.map(presentIso), meta: metaOf(query, page) };
  }

  @Get(':id')
  @Endpoint({ summary: 'Get an ISO image', access: 'read', response: isoResponse })
  async get(@Param({ schema: byId }) { id }: z.output<typeof byId>) {
    return { iso: presentIso(await this.isos.get(id)) };
  }
}
