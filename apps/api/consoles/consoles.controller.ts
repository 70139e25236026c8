import { Body, Controller, Inject, Param, Post } from '@nestjs/common';
import type { z } from 'zod';
import { ENVIRONMENT, type Environment } from '#libs/config';
import { type ConsoleActor, ConsoleRequests } from '#libs/consoles';
import {
  byId,
  CONSOLES_PATH,
  type RequestConsole,
  requestConsole,
  requestConsoleResponse,
} from '#libs/contracts';
import { started } from '../actions/command.ts';
import { CurrentPrincipal, type Principal } from '../auth/principal.ts';
import { Endpoint } from '../http/endpoint.ts';

@Controller('v1/servers/:id/actions')
export class ConsolesController {
  constructor(
    private readonly consoles: ConsoleRequests,
    @Inject(ENVIRONMENT) private readonly environment: Environment,
  ) {}

  @Post('request_console')
  @Endpoint({
    summary: 'Ask for its screen or serial port: an address for one opening within a minute',
    audit: 'server.request_console',
    access: 'write',
    response: requestConsoleResponse,
    status: 201,
  })
  async request(
    @CurrentPrincipal() principal: Principal,
    @Param({ schema: byId }) { id: serverId }: z.output<typeof byId>,
    @Body({ schema: requestConsole }) { type: kind, origin }: RequestConsole,
  ) {
    const { accountId, projectId } = principal;
    const own = new URL(this.environment.SERVERY_URL).origin;
    const { action, token, password } = await this.consoles.request({
      ...{ accountId, projectId, serverId, kind, actor: actorOf(principal) },
      origin: principal.kind === 'session' ? own : (origin ?? null),
    });
    const url = new URL(`${own.replace(/^http/, 'ws')}${CONSOLES_PATH}`);
    url.search = String(new URLSearchParams({ server_id: String(serverId), token }));
    return { ...started(action), wss_url: url.href, password: kind === 'vnc' ? password : '' };
  }
}

function actorOf(principal: Principal): ConsoleActor {
  if (principal.kind === 'token') return { kind: 'token', id: principal.tokenId };
  return { kind: principal.role === 'operator' ? 'operator' : 'session', id: principal.sessionId };
}
