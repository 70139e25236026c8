import { Body, Controller, Delete, Get, Param, Post, Put, Query } from '@nestjs/common';
import type { z } from 'zod';
import {
  actionResponse,
  byId,
  changeImageProtection,
  type ImageWire,
  imageListQuery,
  imageListResponse,
  imageResponse,
  image as imageSchema,
  type UpdateImage,
  updateImage,
} from '#libs/contracts';
import { type Image, ImagesService, type ImportReport } from '#libs/images';
import { BYTES_PER_GIB } from '#libs/kernel';
import type { Page } from '#libs/listing';
import { SnapshotsService } from '#libs/servers';
import { presentAction } from '../actions/action.presenter.ts';
import { ProjectId } from '../auth/principal.ts';
import { Endpoint } from '../http/endpoint.ts';
import { metaOf, toListQuery } from '../http/list-query.ts';
import { wireTime, wireTimeOrNull } from '../http/wire.ts';

type ById = z.output<typeof byId>;

/** What all images have in common, so that filters on it are answered without looking. */
const common = { architecture: 'x86' } as const;
const nothing: Page<Image> = { items: [], total: 0 };

@Controller('v1/images')
export class ImagesController {
  constructor(
    private readonly images: ImagesService,
    private readonly snapshots: SnapshotsService,
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
    const canMatch = architecture?.includes(common.architecture) ?? true;
    const page = canMatch ? await this.images.list(query, projectId) : nothing;
    return { images: page.items.map(presentImage), meta: metaOf(query, page) };
  }

  @Get(':id')
  @Endpoint({ summary: 'Get an image', access: 'read', response: imageResponse })
  async get(@ProjectId() projectId: number, @Param({ schema: byId }) { id }: ById) {
    return { image: presentImage(await this.images.get(id, projectId)) };
  }

  @Put(':id')
  @Endpoint({
    summary: 'Change what a snapshot is called and labelled, or make one of a backup',
    access: 'write',
    response: imageResponse,
    audit: 'image.update',
  })
  async update(
    @ProjectId() projectId: number,
    @Param({ schema: byId }) { id }: ById,
    @Body({ schema: updateImage }) { description, labels, type }: UpdateImage,
  ) {
    const change = {
      ...(description === undefined ? {} : { description }),
      ...(labels && { labels }),
      ...(type && { type }),
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

export function presentImage(image: Image): ImageWire {
  const { appliance } = image;
  const flavor = imageSchema.shape.os_flavor.safeParse(appliance.osFlavor);
  return {
    id: image.id,
    type: image.type,
    status: image.status,
    name: image.projectId === null ? image.name : null,
    description: image.description ?? appliance.title,
    image_size:
      image.status === 'creating' ? null : Math.round((image.fileSizeBytes / BYTES_PER_GIB) * 100) / 100,
    disk_size: appliance.minimumDiskGib,
    created: wireTime(image.createdAt),
    created_from: image.serverId === null ? null : { id: image.serverId, name: image.serverName ?? '' },
    bound_to: image.type === 'backup' ? image.serverId : null,
    os_flavor: flavor.success ? flavor.data : 'unknown',
    os_version: appliance.osVersion || null,
    architecture: common.architecture,
    rapid_deploy: true,
    protection: { delete: image.isDeleteProtected },
    deprecated: wireTimeOrNull(image.deprecatedAt),
    deleted: wireTimeOrNull(image.deletedAt),
    labels: image.labels,
    servery: {
      made_by: image.madeBy,
      expires_at: wireTimeOrNull(image.expiresAt),
      restore_test: presentRestoreTest(image),
      ...(image.importReport && { import: presentReport(image.importReport) }),
    },
  };
}

function presentRestoreTest({ type, restoreTestedAt, restoreFailure, restoreChecks }: Image) {
  const none = { tested_at: null, reason: null, checks: [] };
  if (restoreTestedAt === null) return type === 'backup' ? { state: 'untested' as const, ...none } : null;
  return {
    state: restoreFailure === null ? ('passed' as const) : ('failed' as const),
    tested_at: wireTime(restoreTestedAt),
    reason: restoreFailure,
    checks: restoreChecks,
  };
}

function presentReport({ format, diskCount, partitionTable, machine, guest, notes }: ImportReport) {
  return {
    format,
    disk_count: diskCount,
    partition_table: partitionTable,
    machine: machine && {
      name: machine.name,
      cpus: machine.cpus,
      memory_mib: machine.memoryMib,
      firmware: machine.firmware,
      operating_system: machine.operatingSystem,
    },
    guest: guest && {
      os_id: guest.osId,
      os_version: guest.osVersion,
      virtio_disk: guest.hasVirtioDisk,
      cloud_init: guest.hasCloudInit,
      guest_agent: guest.hasGuestAgent,
    },
    notes: [...notes],
  };
}
