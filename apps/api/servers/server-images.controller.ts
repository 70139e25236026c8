import { Body, Controller, Param, Post } from '@nestjs/common';
import type { z } from 'zod';
import {
  byId,
  type CreateImage,
  createImage,
  createImageResponse,
  type EnableBackup,
  enableBackup,
} from '#libs/contracts';
import { ImagesService } from '#libs/images';
import { OrdersService } from '#libs/orders';
import { BackupsService, ServerCommands } from '#libs/servers';
import { command, started } from '../actions/command.ts';
import { CurrentPrincipal, type Principal, ProjectId } from '../auth/principal.ts';
import { presentImage } from '../catalog/image.presenter.ts';
import { Endpoint } from '../http/endpoint.ts';
import { toPlanChange } from './backup-plan.presenter.ts';

type ById = z.output<typeof byId>;

/** What is kept of a server: snapshots, and backups by a plan. */
@Controller('v1/servers/:id/actions')
export class ServerImagesController {
  constructor(
    private readonly commands: ServerCommands,
    private readonly backups: BackupsService,
    private readonly images: ImagesService,
    private readonly orders: OrdersService,
  ) {}

  @Post('create_image')
  @Endpoint({
    ...command('server.create_image', 'Make a snapshot or backup of its disk, while it runs or not'),
    response: createImageResponse,
  })
  async createImage(
    @CurrentPrincipal() { accountId, projectId }: Principal,
    @Param({ schema: byId }) { id }: ById,
    @Body({ schema: createImage }) { type, description, labels, with_memory: withMemory }: CreateImage,
  ) {
    await this.orders.assertMayKeep(accountId, type);
    const wanted = { type, description: description ?? null, labels: labels ?? {}, withMemory };
    const { action, imageId } = await this.commands.createImage(projectId, id, wanted);
    return { ...started(action), image: presentImage(await this.images.get(imageId, projectId)) };
  }

  @Post('enable_backup')
  @Endpoint(command('server.enable_backup', 'Have backups made of it by a plan, or change the plan'))
  async enableBackup(
    @CurrentPrincipal() { accountId, projectId }: Principal,
    @Param({ schema: byId }) { id }: ById,
    @Body({ schema: enableBackup }) body: EnableBackup,
  ) {
    await this.orders.assertMayKeep(accountId, 'backup');
    return started(await this.backups.enable(projectId, id, toPlanChange(body)));
  }

  @Post('disable_backup')
  @Endpoint(
    command('server.disable_backup', 'Have no more backups made of it, and delete all that there are'),
  )
  async disableBackup(@ProjectId() projectId: number, @Param({ schema: byId }) { id }: ById) {
    return started(await this.backups.disable(projectId, id));
  }
}
