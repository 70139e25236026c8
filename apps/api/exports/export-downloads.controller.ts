import { Controller, Get, Param, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { byId, exportDownloadQuery, exportManifestResponse } from '#libs/contracts';
import { DownloadLinks, ExportStore, ExportsService, exportNotFound, type StoredExport } from '#libs/exports';
import { Endpoint } from '../http/endpoint.ts';
import { sendFile } from './send-file.ts';

/** The files of exports, for whoever has a link: also for accounts that are suspended. */
@Controller('v1/exports')
export class ExportDownloadsController {
  constructor(
    private readonly links: DownloadLinks,
    private readonly exports: ExportsService,
    private readonly store: ExportStore,
  ) {}

  @Get(':id/download')
  @Endpoint({
    summary: "Download an export's file by its signed link; ranges are served",
    access: 'public',
    status: 200,
  })
  async download(
    @Param({ schema: byId }) { id }: z.output<typeof byId>,
    @Query({ schema: exportDownloadQuery }) link: z.output<typeof exportDownloadQuery>,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const { manifest, path, madeAt } = await this.stored(id, link);
    sendFile(request, reply, { path, madeAt, ...manifest.file });
  }

  @Get(':id/manifest')
  @Endpoint({
    summary: 'What an export is of, and how its file is checked, by the same signed link',
    access: 'public',
    response: exportManifestResponse,
  })
  async manifest(
    @Param({ schema: byId }) { id }: z.output<typeof byId>,
    @Query({ schema: exportDownloadQuery }) link: z.output<typeof exportDownloadQuery>,
  ) {
    return (await this.stored(id, link)).manifest;
  }

  /** @throws DomainError `export_not_found`, `export_link_expired` */
  private async stored(id: number, link: z.output<typeof exportDownloadQuery>): Promise<StoredExport> {
    this.links.check(id, link);
    await this.exports.assertAvailable(id);
    const stored = await this.store.find(id);
    if (!stored) throw exportNotFound(id);
    return stored;
  }
}
