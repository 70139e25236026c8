import { Body, Controller, Delete, Get, Param, Post, Query } from '@nestjs/common';
import type { z } from 'zod';
import {
  byId,
  type CreateExport,
  createExport,
  createExportResponse,
  exportListQuery,
  exportListResponse,
  exportResponse,
} from '#libs/contracts';
import { ExportRequests, ExportsService, type RequestedExport } from '#libs/exports';
import { presentAction } from '../actions/action.presenter.ts';
import { CurrentPrincipal, type Principal } from '../auth/principal.ts';
import { Endpoint, type EndpointOptions } from '../http/endpoint.ts';
import { metaOf, toListQuery } from '../http/list-query.ts';
import { ExportPresenter } from './export.presenter.ts';

type ById = z.output<typeof byId>;

/** Something that is answered with an export which is being made. */
function making(audit: `${string}.export`, summary: string): EndpointOptions {
  return { summary, access: 'write', response: createExportResponse, status: 201, idempotent: true, audit };
}

/** Servers and images to take home; open to those who do not pay as well. */
@Controller('v1')
export class ExportsController {
  constructor(
    private readonly requests: ExportRequests,
    private readonly exports: ExportsService,
    private readonly presenter: ExportPresenter,
  ) {}

  @Post('servers/:id/exports')
  @Endpoint(making('server.export', 'Make a file of its disk to take home, while it runs or not'))
  async ofServer(
    @CurrentPrincipal() principal: Principal,
    @Param({ schema: byId }) { id }: ById,
    @Body({ schema: createExport }) { format }: CreateExport,
  ) {
    return this.requested(await this.requests.ofServer(principal.projectId, id, format), principal);
  }

  @Post('images/:id/exports')
  @Endpoint(making('image.export', 'Make a file of an image to take home'))
  async ofImage(
    @CurrentPrincipal() principal: Principal,
    @Param({ schema: byId }) { id }: ById,
    @Body({ schema: createExport }) { format }: CreateExport,
  ) {
    return this.requested(await this.requests.ofImage(principal.projectId, id, format), principal);
  }

  @Get('exports')
  @Endpoint({ summary: 'List exports', access: 'read', response: exportListResponse })
  async list(
    @CurrentPrincipal() principal: Principal,
    @Query({ schema: exportListQuery }) parsed: z.output<typeof exportListQuery>,
  ) {
    const query = toListQuery(parsed);
    const page = await this.exports.list(principal.projectId, query);
    return {
      exports: page.items.map((one) => this.presenter.present(one, principal)),
      meta: metaOf(query, page),
    };
  }

  @Get('exports/:id')
  @Endpoint({
    summary: 'Get an export, with links to its file for those who may change things',
    access: 'read',
    response: exportResponse,
  })
  async get(@CurrentPrincipal() principal: Principal, @Param({ schema: byId }) { id }: ById) {
    const found = await this.exports.get(principal.projectId, id);
    return { export: this.presenter.present(found, principal) };
  }

  @Delete('exports/:id')
  @Endpoint({
    summary: 'Delete an export; one that is being made is given up',
    access: 'write',
    audit: 'export.delete',
  })
  async delete(@CurrentPrincipal() principal: Principal, @Param({ schema: byId }) { id }: ById) {
    await this.exports.delete(principal.projectId, id);
  }

  private requested({ export: made, action }: RequestedExport, principal: Principal) {
    return { export: this.presenter.present(made, principal), action: presentAction(action) };
  }
}
