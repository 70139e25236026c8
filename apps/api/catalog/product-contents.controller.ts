import { createHash } from 'node:crypto';
import { Controller, Get, Param, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { DataSource } from 'typeorm';
import type { z } from 'zod';
import { CatalogService } from '#libs/catalog';
import { byName, imagePackagesQuery, imagePackagesResponse, productChangesResponse } from '#libs/contracts';
import { ImageContentsService, ImagesService, screenshotOf } from '#libs/images';
import { ApiError } from '../http/api-error.ts';
import { Endpoint } from '../http/endpoint.ts';
import { metaOf } from '../http/list-query.ts';
import { wireTime } from '../http/wire.ts';
import { cookedAt } from './catalog.presenter.ts';
import { presentPackage, sendSbom, toPackagesQuery } from './image-contents.presenter.ts';

type ByName = z.output<typeof byName>;

/** What is inside the products of the catalog, for everybody. */
@Controller('v1/catalog')
export class ProductContentsController {
  constructor(
    private readonly catalog: CatalogService,
    private readonly images: ImagesService,
    private readonly contents: ImageContentsService,
    private readonly dataSource: DataSource,
  ) {}

  @Get(':name/packages')
  @Endpoint({
    summary: 'List the packages of a product',
    access: 'public',
    response: imagePackagesResponse,
  })
  async packages(
    @Param({ schema: byName }) { name }: ByName,
    @Query({ schema: imagePackagesQuery }) parsed: z.output<typeof imagePackagesQuery>,
  ) {
    const { query, search } = toPackagesQuery(parsed);
    const page = await this.contents.packages(await this.catalog.image(name), query, search);
    return { packages: page.items.map(presentPackage), meta: metaOf(query, page) };
  }

  @Get(':name/sbom')
  @Endpoint({
    summary: 'The bill of materials of a product: CycloneDX 1.6, to the byte as it was cooked',
    access: 'public',
    status: 200,
  })
  async sbom(@Param({ schema: byName }) { name }: ByName, @Res() reply: FastifyReply): Promise<void> {
    const image = await this.catalog.image(name);
    sendSbom(reply, image, await this.contents.sbom(image));
  }

  @Get(':name/package_changes')
  @Endpoint({
    summary: 'In which packages a product differs from its former build, with both versions',
    access: 'public',
    response: productChangesResponse,
  })
  async changes(@Param({ schema: byName }) { name }: ByName) {
    const image = await this.catalog.image(name);
    const former = await this.images.formerBuild(image);
    if (!former || !(await this.contents.isKnown(former))) return { since: null, package_changes: [] };
    return {
      since: { image_id: former.id, cooked_at: wireTime(cookedAt(former)) },
      package_changes: await this.contents.changes(former, image),
    };
  }

  @Get(':name/screenshot')
  @Endpoint({
    summary: 'A picture of a server of a product, where there is one: PNG',
    access: 'public',
    status: 200,
  })
  async screenshot(
    @Param({ schema: byName }) { name }: ByName,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const png = await screenshotOf(this.dataSource.manager, (await this.catalog.image(name)).id);
    if (!png) throw new ApiError('not_found', `there is no screenshot of ${name}`);
    const etag = `"${createHash('sha256').update(png).digest('base64url')}"`;
    void reply.header('etag', etag).header('cache-control', 'public, max-age=300');
    if (request.headers['if-none-match'] === etag) void reply.code(304).send();
    else void reply.type('image/png').send(png);
  }
}
