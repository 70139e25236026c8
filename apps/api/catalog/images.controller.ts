import { Body, Controller, Delete, Get, Param, Post, Put, Query } from '@nestjs/common';
import type { z } from 'zod';
import {
  actionResponse,
  byId,
  changeImageProtection,
  imageListQuery,
  imageListResponse,
  imageResponse,
  type UpdateImage,
  updateImage,
} from '#libs/contracts';
import type { Devices } from '#libs/hypervisor';
import { type Image, ImagesService } from '#libs/images';
import type { Page } from '#libs/listing';
import { OrdersService } from '#libs/orders';
import { isDeletedByItself, SnapshotsService } from '#libs/servers';
import { presentAction } from '../actions/action.presenter.ts';
import { CurrentPrincipal, type Principal, ProjectId } from '../auth/principal.ts';
import { Endpoint } from '../http/endpoint.ts';
import { metaOf, toListQuery } from '../http/list-query.ts';
import { ARCHITECTURE, presentImage } from './image.presenter.ts';

type ById = z.output<typeof byId>;

const nothing: Page<Image> = { items: [], total: 0 };

@Controller('v1/images')
export class ImagesController {
  constructor(
    private readonly images: ImagesService,
    private readonly snapshots: SnapshotsService,
    private readonly orders: OrdersService,
  ) {}

  @Get()
  @Endpoint({
    summary: 'List images: appliances have type "app", what is made of servers "snapshot" or "backup"',
    access: 'read',
    response: imageListResponse,
  })
  async list(
    @ProjectId() projectId: number,
    @Query({ schema: imageListQuery }) parsed: z.output<typeof imageListQuery>,
  ) {
    const { architecture, include_deprecated: _, ...rest } = parsed;
    const query = toListQuery(rest);
    const canMatch = architecture?.includes(ARCHITECTURE) ?? true;
    const page = canMatch ? await this.images.list(query, projectId) : nothing;
    const refusals = await this.images.refusalsOf(page.items.map(({ id }) => id));
    const images = page.items.map((image) => presentImage(image, refusals.get(image.id)));
    return { images, meta: metaOf(query, page) };
  }

  @Get(':id')
  @Endpoint({ summary: 'Get an image', access: 'read', response: imageResponse })
  async get(@ProjectId() projectId: number, @Param({ schema: byId }) { id }: ById) {
    const image = await this.images.get(id, projectId);
    return { image: presentImage(image, (await this.images.refusalsOf([id])).get(id)) };
  }

  @Put(':id')
  @Endpoint({
    summary:
      'Change what a snapshot is called and labelled, and what its servers start on; or make one of a backup',
    access: 'write',
    response: imageResponse,
    audit: 'image.update',
  })
  async update(
    @CurrentPrincipal() { accountId, projectId }: Principal,
    @Param({ schema: byId }) { id }: ById,
    @Body({ schema: updateImage }) { description, labels, type, servery }: UpdateImage,
  ) {
    if (type && isDeletedByItself(await this.images.get(id, projectId))) {
      await this.orders.assertMayKeep(accountId, type);
    }
    const change = {
      ...(description === undefined ? {} : { description }),
      ...(labels && { labels }),
      ...(type && { type }),
      ...(servery?.devices && { devices: devicesIn(servery.devices) }),
      ...(servery?.verification && { verification: servery.verification }),
    };
    return { image: presentImage(await this.snapshots.change(projectId, id, change)) };
  }

  @Delete(':id')
  @Endpoint({ summary: 'Delete a snapshot', access: 'write', audit: 'image.delete' })
  async delete(@ProjectId() projectId: number, @Param({ schema: byId }) { id }: ById) {
    await this.snapshots.delete(projectId, id);
  }

  @Post(':id/actions/change_protection')
  @Endpoint({
    summary: 'Protect a snapshot from deletion',
    access: 'write',
    response: actionResponse,
    status: 201,
    audit: 'image.change_protection',
  })
  async changeProtection(
    @ProjectId() projectId: number,
    @Param({ schema: byId }) { id }: ById,
    @Body({ schema: changeImageProtection }) body: z.output<typeof changeImageProtection>,
  ) {
    return { action: presentAction(await this.snapshots.protect(projectId, id, body.delete)) };
  }
}

type DevicesChange = NonNullable<NonNullable<UpdateImage['servery']>['devices']>;

function devicesIn({ firmware, disk_bus: diskBus, nic_model: nicModel }: DevicesChange): Partial<Devices> {
  return { ...(firmware && { firmware }), ...(diskBus && { diskBus }), ...(nicModel && { nicModel }) };
}
