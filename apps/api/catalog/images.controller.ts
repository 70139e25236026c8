import { Controller, Get, Param, Query } from '@nestjs/common';
import type { z } from 'zod';
import {
  byId,
  type ImageWire,
  imageListQuery,
  imageListResponse,
  imageResponse,
  image as imageSchema,
} from '#libs/contracts';
import { type Image, ImagesService } from '#libs/images';
import { BYTES_PER_GIB } from '#libs/kernel';
import { matchesLabels, type Page } from '#libs/listing';
import { Endpoint } from '../http/endpoint.ts';
import { metaOf, toListQuery } from '../http/list-query.ts';
import { wireTime, wireTimeOrNull } from '../http/wire.ts';

/** What all images have in common, so that filters on it are answered without looking. */
const common = { architecture: 'x86', status: 'available', bound_to: '', labels: {} } as const;
const nothing: Page<Image> = { items: [], total: 0 };

@Controller('v1/images')
export class ImagesController {
  constructor(private readonly images: ImagesService) {}

  @Get()
  @Endpoint({
    summary: 'List images: appliances have type "app"',
    access: 'read',
    response: imageListResponse,
  })
  async list(@Query({ schema: imageListQuery }) parsed: z.output<typeof imageListQuery>) {
    const { architecture, status, bound_to, include_deprecated: _, ...rest } = parsed;
    const { labelSelector = [], ...query } = toListQuery(rest);
    const canMatch =
      (architecture?.includes(common.architecture) ?? true) &&
      (status?.includes(common.status) ?? true) &&
      (bound_to?.includes(common.bound_to) ?? true) &&
      matchesLabels(labelSelector, common.labels);
    const page = canMatch ? await this.images.list(query) : nothing;
    return { images: page.items.map(presentImage), meta: metaOf(query, page) };
  }

  @Get(':id')
  @Endpoint({ summary: 'Get an image', access: 'read', response: imageResponse })
  async get(@Param({ schema: byId }) { id }: z.output<typeof byId>) {
    return { image: presentImage(await this.images.get(id)) };
  }
}

export function presentImage(image: Image): ImageWire {
  const { appliance } = image;
  const flavor = imageSchema.shape.os_flavor.safeParse(appliance.osFlavor);
  return {
    id: image.id,
    type: image.type,
    status: common.status,
    name: image.name,
    description: appliance.title,
    image_size: Math.round((image.fileSizeBytes / BYTES_PER_GIB) * 100) / 100,
    disk_size: appliance.minimumDiskGib,
    created: wireTime(image.createdAt),
    created_from: null,
    bound_to: null,
    os_flavor: flavor.success ? flavor.data : 'unknown',
    os_version: appliance.osVersion,
    architecture: common.architecture,
    rapid_deploy: true,
    protection: { delete: false },
    deprecated: wireTimeOrNull(image.deprecatedAt),
    deleted: null,
    labels: common.labels,
  };
}
