import { Controller, Get, Param, Post, Query } from '@nestjs/common';
import type { z } from 'zod';
import {
  actionListQuery,
  actionListResponse,
  actionResponse,
  applicationSecretsResponse,
  byId,
  credentialsResponse,
  resetPasswordResponse,
  serverActionParams,
  unknownActionParams,
} from '#libs/contracts';
import { ImagesService } from '#libs/images';
import { ActionsService, ServerCommands, ServersService, systemImageId } from '#libs/servers';
import { ActionPresenter, presentAction } from '../actions/action.presenter.ts';
import { command, started } from '../actions/command.ts';
import { CurrentPrincipal, type Principal, ProjectId } from '../auth/principal.ts';
import { presentSecrets } from '../catalog/image.presenter.ts';
import { ApiError } from '../http/api-error.ts';
import { Endpoint } from '../http/endpoint.ts';
import { metaOf, toListQuery } from '../http/list-query.ts';
import { passwordDelivery } from './password-delivery.ts';

type ById = z.output<typeof byId>;

@Controller('v1/servers/:id/actions')
export class ServerActionsController {
  constructor(
    private readonly commands: ServerCommands,
    private readonly servers: ServersService,
    private readonly actions: ActionsService,
    private readonly images: ImagesService,
    private readonly presenter: ActionPresenter,
  ) {}

  @Get()
  @Endpoint({ summary: 'List the actions of a server', access: 'read', response: actionListResponse })
  async list(
    @ProjectId() projectId: number,
    @Param({ schema: byId }) { id }: ById,
    @Query({ schema: actionListQuery }) parsed: z.output<typeof actionListQuery>,
  ) {
    await this.servers.get(projectId, id);
    const query = toListQuery(parsed);
    const page = await this.actions.list(projectId, query, { serverId: id });
    return { actions: page.items.map(presentAction), meta: metaOf(query, page) };
  }

  @Get(':action_id')
  @Endpoint({ summary: 'Get an action of a server', access: 'read', response: actionResponse })
  async get(
    @ProjectId() projectId: number,
    @Param({ schema: serverActionParams }) { id, action_id }: z.output<typeof serverActionParams>,
  ) {
    return {
      action: await this.presenter.presentWithSteps(
        await this.actions.get(projectId, action_id, { serverId: id }),
      ),
    };
  }

  @Post('poweron')
  @Endpoint(command('server.poweron', 'Power on'))
  async powerOn(@ProjectId() projectId: number, @Param({ schema: byId }) { id }: ById) {
    return started(await this.commands.powerOn(projectId, id));
  }

  @Post('poweroff')
  @Endpoint(command('server.poweroff', 'Power off: pulls the plug'))
  async powerOff(@ProjectId() projectId: number, @Param({ schema: byId }) { id }: ById) {
    return started(await this.commands.powerOff(projectId, id));
  }

  @Post('shutdown')
  @Endpoint(command('server.shutdown', 'Ask the system to shut down'))
  async shutdown(@ProjectId() projectId: number, @Param({ schema: byId }) { id }: ById) {
    return started(await this.commands.shutdown(projectId, id));
  }

  @Post('reboot')
  @Endpoint(command('server.reboot', 'Ask the system to reboot'))
  async reboot(@ProjectId() projectId: number, @Param({ schema: byId }) { id }: ById) {
    return started(await this.commands.reboot(projectId, id));
  }

  @Post('reset')
  @Endpoint(command('server.reset', 'Press the reset button'))
  async reset(@ProjectId() projectId: number, @Param({ schema: byId }) { id }: ById) {
    return started(await this.commands.reset(projectId, id));
  }

  @Post('reset_password')
  @Endpoint({
    ...command('server.reset_password', 'Set a new root password; a token gets it in the answer'),
    response: resetPasswordResponse,
  })
  async resetPassword(@CurrentPrincipal() principal: Principal, @Param({ schema: byId }) { id }: ById) {
    const delivery = passwordDelivery(principal);
    const { action, rootPassword } = await this.commands.resetPassword(principal.projectId, id, delivery);
    return { ...started(action), ...(rootPassword === null ? {} : { root_password: rootPassword }) };
  }

  @Post('open_network')
  @Endpoint(command('server.open_network', 'Open the network of a clone, and let its timers go'))
  async openNetwork(@ProjectId() projectId: number, @Param({ schema: byId }) { id }: ById) {
    return started(await this.commands.openNetwork(projectId, id));
  }

  @Post('reveal_credentials')
  @Endpoint({
    summary: 'Show the root password, once',
    audit: 'server.reveal_credentials',
    access: 'session',
    response: credentialsResponse,
    status: 201,
  })
  async revealCredentials(@ProjectId() projectId: number, @Param({ schema: byId }) { id }: ById) {
    const password = await this.commands.revealPassword(projectId, id);
    return { credentials: { username: 'root', password } };
  }

  @Post('reveal_secrets')
  @Endpoint({
    summary: 'Show the secrets of the application, once',
    audit: 'server.reveal_secrets',
    access: 'write',
    response: applicationSecretsResponse,
    status: 201,
  })
  async revealSecrets(@ProjectId() projectId: number, @Param({ schema: byId }) { id }: ById) {
    const server = await this.servers.get(projectId, id);
    const [image] = await this.images.byIds([systemImageId(server)]);
    const items = image ? presentSecrets(image.appliance) : [];
    const names = items.map(({ name }) => name);
    const values = await this.commands.revealApplicationSecrets(projectId, id, names);
    return {
      secrets: items.flatMap((item) => {
        const value = values[item.name];
        return value === undefined ? [] : [{ ...item, value }];
      }),
    };
  }

  @Post(':action')
  @Endpoint({ summary: 'Any other action: not available here yet', access: 'write' })
  async unknown(
    @ProjectId() projectId: number,
    @Param({ schema: unknownActionParams }) { id, action }: z.output<typeof unknownActionParams>,
  ) {
    await this.servers.get(projectId, id);
    throw new ApiError('unsupported_error', `the action "${action}" is not available here yet`);
  }
}
