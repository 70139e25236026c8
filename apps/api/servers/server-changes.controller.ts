import { Body, Controller, Param, Post } from '@nestjs/common';
import type { z } from 'zod';
import { CatalogService } from '#libs/catalog';
import {
  byId,
  type ChangeType,
  changeServerProtection,
  changeType,
  type RebuildServer,
  type RollBackServer,
  rebuildServer,
  rebuildServerResponse,
  rollBackServer,
} from '#libs/contracts';
import { ImagesService } from '#libs/images';
import { ImageChanges, TypeChanges } from '#libs/orders';
import { ServerProtection, ServersService } from '#libs/servers';
import { command, started } from '../actions/command.ts';
import { CurrentPrincipal, type Principal, ProjectId } from '../auth/principal.ts';
import { Endpoint } from '../http/endpoint.ts';
import { passwordDelivery } from './password-delivery.ts';
import { unknownReferences } from './to-order-request.ts';

type ById = z.output<typeof byId>;

/** What changes a server that stays the one that it is. */
@Controller('v1/servers/:id/actions')
export class ServerChangesController {
  constructor(
    private readonly servers: ServersService,
    private readonly catalog: CatalogService,
    private readonly types: TypeChanges,
    private readonly images: ImagesService,
    private readonly changes: ImageChanges,
    private readonly protection: ServerProtection,
  ) {}

  @Post('change_type')
  @Endpoint(command('server.change_type', 'Make it larger or smaller; it runs afterwards'))
  async changeType(
    @ProjectId() projectId: number,
    @Param({ schema: byId }) { id }: ById,
    @Body({ schema: changeType }) body: ChangeType,
  ) {
    await this.servers.get(projectId, id);
    const type = await this.catalog.serverType(body.server_type).catch(unknownReferences);
    const { upgrade_disk: upgradesDisk, restart: restarts } = body;
    return started(await this.types.change(projectId, id, { type, upgradesDisk, restarts }));
  }

  @Post('rebuild')
  @Endpoint({
    ...command(
      'server.rebuild',
      'Put a fresh disk of an image in place. Once the new system works all data is lost; if it does not, the server stays as it was',
    ),
    response: rebuildServerResponse,
  })
  async rebuild(
    @CurrentPrincipal() principal: Principal,
    @Param({ schema: byId }) { id }: ById,
    @Body({ schema: rebuildServer }) body: RebuildServer,
  ) {
    const { projectId } = principal;
    await this.servers.get(projectId, id);
    const image = await this.images.resolve(body.image, projectId).catch(unknownReferences);
    const delivery = passwordDelivery(principal);
    const { action, rootPassword } = await this.changes.rebuild(
      projectId,
      id,
      image,
      delivery,
      body.user_data,
    );
    return { ...started(action), root_password: rootPassword };
  }

  @Post('roll_back')
  @Endpoint(
    command('server.roll_back', 'Put it back to a snapshot of it, in place; what it leaves is kept a day'),
  )
  async rollBack(
    @ProjectId() projectId: number,
    @Param({ schema: byId }) { id }: ById,
    @Body({ schema: rollBackServer }) body: RollBackServer,
  ) {
    await this.servers.get(projectId, id);
    const image = await this.images.resolve(body.image, projectId).catch(unknownReferences);
    return started(await this.changes.rollBack(projectId, id, image, body.with_memory));
  }

  @Post('change_protection')
  @Endpoint(command('server.change_protection', 'Protect it from deletion, and from rebuilds and roll backs'))
  async changeProtection(
    @ProjectId() projectId: number,
    @Param({ schema: byId }) { id }: ById,
    @Body({ schema: changeServerProtection }) body: z.output<typeof changeServerProtection>,
  ) {
    return started(await this.protection.change(projectId, id, body));
  }
}
