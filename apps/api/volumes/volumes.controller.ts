import { Body, Controller, Delete, Get, Inject, Param, Post, Put, Query } from '@nestjs/common';
import type { z } from 'zod';
import { CatalogService } from '#libs/catalog';
import { ENVIRONMENT, type Environment } from '#libs/config';
import {
  byId,
  type CreateVolume,
  createVolume,
  createVolumeResponse,
  updateVolume,
  volumeListQuery,
  volumeListResponse,
  volumeResponse,
} from '#libs/contracts';
import { VolumeCommands, VolumesService } from '#libs/volumes';
import { presentAction } from '../actions/action.presenter.ts';
import { CurrentPrincipal, type Principal, ProjectId } from '../auth/principal.ts';
import { Endpoint } from '../http/endpoint.ts';
import { metaOf, toListQuery } from '../http/list-query.ts';
import { ResourceId } from '../idempotency/idempotency.interceptor.ts';
import { unknownReferences } from '../servers/to-order-request.ts';
import { VolumePresenter } from './volume.presenter.ts';

type ById = z.output<typeof byId>;

/** Disks apart from servers. */
@Controller('v1/volumes')
export class VolumesController {
  constructor(
    private readonly volumes: VolumesService,
    private readonly commands: VolumeCommands,
    private readonly catalog: CatalogService,
    private readonly presenter: VolumePresenter,
    @Inject(ENVIRONMENT) private readonly environment: Environment,
  ) {}

  @Get()
  @Endpoint({ summary: 'List volumes', access: 'read', response: volumeListResponse })
  async list(
    @ProjectId() projectId: number,
    @Query({ schema: volumeListQuery }) parsed: z.output<typeof volumeListQuery>,
  ) {
    const query = toListQuery(parsed);
    const page = await this.volumes.list(projectId, query);
    return { volumes: await this.presenter.present(page.items), meta: metaOf(query, page) };
  }

  @Post()
  @Endpoint({
    summary: 'Order a volume, for itself or for a server',
    audit: 'volume.create',
    access: 'write',
    response: createVolumeResponse,
    status: 201,
    idempotent: true,
  })
  async create(
    @CurrentPrincipal() { accountId, projectId }: Principal,
    @ResourceId() volumeId: number,
    @Body({ schema: createVolume }) body: CreateVolume,
  ) {
    const { name, size: sizeGib, labels = {}, format } = body;
    const { volume, actions } = await this.commands.create({
      ...{ volumeId, accountId, projectId, name, labels, sizeGib },
      format: format ?? null,
      currency: this.environment.SERVERY_CURRENCY,
      place: await this.placeOf(body),
    });
    const [action, ...next] = actions.map(presentAction);
    return { volume: await this.presenter.presentOne(volume), action, next_actions: next };
  }

  @Get(':id')
  @Endpoint({ summary: 'Get a volume', access: 'read', response: volumeResponse })
  async get(@ProjectId() projectId: number, @Param({ schema: byId }) { id }: ById) {
    return { volume: await this.presenter.presentOne(await this.volumes.get(projectId, id)) };
  }

  @Put(':id')
  @Endpoint({
    summary: 'Rename or relabel a volume',
    audit: 'volume.update',
    access: 'write',
    response: volumeResponse,
  })
  async update(
    @ProjectId() projectId: number,
    @Param({ schema: byId }) { id }: ById,
    @Body({ schema: updateVolume }) { name, labels }: z.output<typeof updateVolume>,
  ) {
    const change = { ...(name === undefined ? {} : { name }), ...(labels === undefined ? {} : { labels }) };
    return { volume: await this.presenter.presentOne(await this.volumes.update(projectId, id, change)) };
  }

  @Delete(':id')
  @Endpoint({ summary: 'Delete a volume and all that is on it', access: 'write', audit: 'volume.delete' })
  async delete(@ProjectId() projectId: number, @Param({ schema: byId }) { id }: ById) {
    await this.commands.delete(projectId, id);
  }

  private async placeOf({ server, automount = false, location }: CreateVolume) {
    if (server !== undefined) return { serverId: server, automount };
    const { id } = await this.catalog.location(location).catch(unknownReferences);
    return { locationId: id };
  }
}
