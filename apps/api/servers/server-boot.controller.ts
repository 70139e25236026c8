import { Body, Controller, Param, Post } from '@nestjs/common';
import type { z } from 'zod';
import { SshKeysService } from '#libs/accounts';
import { attachIso, byId, type EnableRescue, enableRescue, enableRescueResponse } from '#libs/contracts';
import { IsoCommands, IsosService } from '#libs/isos';
import { RescueCommands, ServersService } from '#libs/servers';
import { command, started } from '../actions/command.ts';
import { ProjectId } from '../auth/principal.ts';
import { Endpoint } from '../http/endpoint.ts';
import { unknownReferences } from './to-order-request.ts';

type ById = z.output<typeof byId>;

/** What a server starts from beside its own disk. */
@Controller('v1/servers/:id/actions')
export class ServerBootController {
  constructor(
    private readonly servers: ServersService,
    private readonly rescues: RescueCommands,
    private readonly sshKeys: SshKeysService,
    private readonly isos: IsosService,
    private readonly isoCommands: IsoCommands,
  ) {}

  @Post('enable_rescue')
  @Endpoint({
    ...command('server.enable_rescue', 'Have its next boot be from a rescue system, within an hour'),
    response: enableRescueResponse,
  })
  async enableRescue(
    @ProjectId() projectId: number,
    @Param({ schema: byId }) { id }: ById,
    @Body({ schema: enableRescue }) { ssh_keys: wanted }: EnableRescue,
  ) {
    await this.servers.get(projectId, id);
    const keys = (await this.sshKeys.resolve(projectId, wanted)).map(({ publicKey }) => publicKey);
    const { action, rootPassword } = await this.rescues.enable(projectId, id, keys);
    return { ...started(action), root_password: rootPassword ?? '' };
  }

  @Post('disable_rescue')
  @Endpoint(command('server.disable_rescue', 'Have its next boot be from its own disk'))
  async disableRescue(@ProjectId() projectId: number, @Param({ schema: byId }) { id }: ById) {
    return started(await this.rescues.disable(projectId, id));
  }

  @Post('attach_iso')
  @Endpoint(command('server.attach_iso', 'Put an ISO image into its CD drive, which it boots from first'))
  async attachIso(
    @ProjectId() projectId: number,
    @Param({ schema: byId }) { id }: ById,
    @Body({ schema: attachIso }) body: z.output<typeof attachIso>,
  ) {
    await this.servers.get(projectId, id);
    const iso = await this.isos.resolve(body.iso).catch(unknownReferences);
    return started(await this.isoCommands.attach(projectId, id, iso.id));
  }

  @Post('detach_iso')
  @Endpoint(command('server.detach_iso', 'Take the ISO image from its CD drive'))
  async detachIso(@ProjectId() projectId: number, @Param({ schema: byId }) { id }: ById) {
    return started(await this.isoCommands.detach(projectId, id));
  }
}
