import { Body, Controller, Get, Param, Post, Query } from '@nestjs/common';
import type { z } from 'zod';
import {
  actionListQuery,
  actionListResponse,
  actionResponse,
  attachVolume,
  byId,
  changeVolumeProtection,
  resizeVolume,
  volumeActionParams,
} from '#libs/contracts';
import { type Action, ActionsService } from '#libs/servers';
import { VolumeCommands, VolumesService } from '#libs/volumes';
import { ActionPresenter, presentAction } from '../actions/action.presenter.ts';
import { command, started } from '../actions/command.ts';
import { ProjectId } from '../auth/principal.ts';
import { Endpoint } from '../http/endpoint.ts';
import { metaOf, toListQuery } from '../http/list-query.ts';

type ById = z.output<typeof byId>;
type ListQuery = z.output<typeof actionListQuery>;

@Controller('v1/volumes')
export class VolumeActionsController {
  constructor(
    private readonly commands: VolumeCommands,
    private readonly volumes: VolumesService,
    private readonly actions: ActionsService,
    private readonly presenter: ActionPresenter,
  ) {}

  @Get('actions')
  @Endpoint({ summary: 'List the actions of all volumes', access: 'read', response: actionListResponse })
  async listAll(@ProjectId() projectId: number, @Query({ schema: actionListQuery }) parsed: ListQuery) {
    const query = toListQuery(parsed);
    const page = await this.actions.list(projectId, query, { everyVolume: true });
    return { actions: page.items.map(presentAction), meta: metaOf(query, page) };
  }

  @Get('actions/:id')
  @Endpoint({
    summary: 'Get an action of a volume, by its id alone',
    access: 'read',
    response: actionResponse,
  })
  async getOne(@ProjectId() projectId: number, @Param({ schema: byId }) { id }: ById) {
    return this.withSteps(await this.actions.get(projectId, id, { everyVolume: true }));
  }

  @Get(':id/actions')
  @Endpoint({ summary: 'List the actions of a volume', access: 'read', response: actionListResponse })
  async list(
    @ProjectId() projectId: number,
    @Param({ schema: byId }) { id }: ById,
    @Query({ schema: actionListQuery }) parsed: ListQuery,
  ) {
    await this.volumes.get(projectId, id);
    const query = toListQuery(parsed);
    const page = await this.actions.list(projectId, query, { volumeId: id });
    return { actions: page.items.map(presentAction), meta: metaOf(query, page) };
  }

  @Get(':id/actions/:action_id')
  @Endpoint({ summary: 'Get an action of a volume', access: 'read', response: actionResponse })
  async get(
    @ProjectId() projectId: number,
    @Param({ schema: volumeActionParams }) { id, action_id }: z.output<typeof volumeActionParams>,
  ) {
    return this.withSteps(await this.actions.get(projectId, action_id, { volumeId: id }));
  }

  @Post(':id/actions/attach')
  @Endpoint(command('volume.attach', 'Attach it to a server, which runs or not'))
  async attach(
    @ProjectId() projectId: number,
    @Param({ schema: byId }) { id }: ById,
    @Body({ schema: attachVolume }) { server, automount }: z.output<typeof attachVolume>,
  ) {
    return started(await this.commands.attach(projectId, id, server, automount));
  }

  @Post(':id/actions/detach')
  @Endpoint(command('volume.detach', 'Detach it from its server, with all that is on it'))
  async detach(@ProjectId() projectId: number, @Param({ schema: byId }) { id }: ById) {
    return started(await this.commands.detach(projectId, id));
  }

  @Post(':id/actions/resize')
  @Endpoint(command('volume.resize', 'Make it larger, in use or not; its file system is yours to grow'))
  async resize(
    @ProjectId() projectId: number,
    @Param({ schema: byId }) { id }: ById,
    @Body({ schema: resizeVolume }) { size }: z.output<typeof resizeVolume>,
  ) {
    return started(await this.commands.resize(projectId, id, size));
  }

  @Post(':id/actions/change_protection')
  @Endpoint(command('volume.change_protection', 'Protect it from deletion'))
  async changeProtection(
    @ProjectId() projectId: number,
    @Param({ schema: byId }) { id }: ById,
    @Body({ schema: changeVolumeProtection }) body: z.output<typeof changeVolumeProtection>,
  ) {
    return started(await this.volumes.protect(projectId, id, body.delete));
  }

  private async withSteps(action: Action) {
    return { action: await this.presenter.presentWithSteps(action) };
  }
}
