import { Controller, Get, Param, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { byId, exportDownloadQuery } from '#libs/contracts';
import { DownloadLinks, ExportStore, exportNotFound } from '#libs/exports';
import { Endpoint } from '../http/endpoint.ts';
import { sendFile } from './send-file.ts';

/** The files of exports, for whoever has a link: also for accounts that are suspended. */
@Controller('v1/exports')
export class ExportDownloadsController {
  constructor(
    private readonly links: DownloadLinks,
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
    this.links.check(id, link);
    const stored = await this.store.find(id);
    if (!stored) throw exportNotFound(id);
    const { manifest, path, madeAt } = stored;
    sendFile(request, reply, { path, madeAt, ...manifest.file });
  }
}
