import { Controller, Get, Param, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';
import {
  byId,
  imagePackagesQuery,
  imagePackagesResponse,
  packageChangesQuery,
  packageChangesResponse,
} from '#libs/contracts';
import { ImageContentsService, ImagesService } from '#libs/images';
import { ProjectId } from '../auth/principal.ts';
import { Endpoint } from '../http/endpoint.ts';
import { metaOf } from '../http/list-query.ts';
import { presentPackage, sendSbom, toPackagesQuery } from './image-contents.presenter.ts';

type ById = z.output<typeof byId>;

/** What is inside images that were cooked. */
@Controller('v1/images')
export class ImageContentsController {
  constructor(
    private readonly images: ImagesService,
    private readonly contents: ImageContentsService,
  ) {}

  @Get(':id/packages')
  @Endpoint({
    summary: 'List the packages of an image that was cooked; what is in others is not known',
    access: 'read',
    response: imagePackagesResponse,
  })
  async packages(
    @ProjectId() projectId: number,
    @Param({ schema: byId }) { id }: ById,
    @Query({ schema: imagePackagesQuery }) parsed: z.output<typeof imagePackagesQuery>,
  ) {
    const image = await this.images.get(id, projectId);
    const { query, search } = toPackagesQuery(parsed);
    const page = await this.contents.packages(image, query, search);
    return { packages: page.items.map(presentPackage), meta: metaOf(query, page) };
  }

  @Get(':id/sbom')
  @Endpoint({
    summary: 'The bill of materials of an image that was cooked: CycloneDX 1.6, to the byte as it was cooked',
    access: 'read',
    status: 200,
  })
  async sbom(
    @ProjectId() projectId: number,
    @Param({ schema: byId }) { id }: ById,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const image = await this.images.get(id, projectId);
    sendSbom(reply, image, await this.contents.sbom(image));
  }

  @Get(':id/package_changes')
  @Endpoint({
    summary: 'In which packages a cooked image differs from another one, with both versions',
    access: 'read',
    response: packageChangesResponse,
  })
  async changes(
    @ProjectId() projectId: number,
    @Param({ schema: byId }) { id }: ById,
    @Query({ schema: packageChangesQuery }) { since }: z.output<typeof packageChangesQuery>,
  ) {
    const image = await this.images.get(id, projectId);
    return { package_changes: await this.contents.changes(await this.images.get(since, projectId), image) };
  }
}
