import { Body, Controller, Param, Post } from '@nestjs/common';
import type { z } from 'zod';
import { CatalogService } from '#libs/catalog';
import { byId, type ChangeType, changeServerProtection, changeType } from '#libs/contracts';
import { TypeChanges } from '#libs/orders';
import { ServerProtection, ServersService } from '#libs/servers';
import { command, started } from '../actions/command.ts';
import { ProjectId } from '../auth/principal.ts';
import { Endpoint } from '../http/endpoint.ts';
import { unknownReferences } from './to-order-request.ts';

type ById = z.output<typeof byId>;

/** What changes a server that stays the one that it is. */
@Controller('v1/servers/:id/actions')
export class ServerChangesController {
  constructor(
    private readonly servers: ServersService,
    private readonly catalog: CatalogService,
    private readonly types: TypeChanges,
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
