import { Body, Controller, Delete, Get, Param, Post } from '@nestjs/common';
import type { z } from 'zod';
import { type ApiToken, ApiTokensService } from '#libs/accounts';
import {
  type ApiTokenWire,
  apiTokenListResponse,
  byId,
  createApiToken,
  createApiTokenResponse,
} from '#libs/contracts';
import { ProjectId } from '../auth/principal.ts';
import { Endpoint } from '../http/endpoint.ts';
import { ResourceId } from '../idempotency/idempotency.interceptor.ts';

@Controller('v1/api_tokens')
export class ApiTokensController {
  constructor(private readonly tokens: ApiTokensService) {}

  @Get()
  @Endpoint({
    summary: 'List the API tokens of the project',
    access: 'session',
    response: apiTokenListResponse,
  })
  async list(@ProjectId() projectId: number) {
    const tokens = await this.tokens.list(projectId);
    return { api_tokens: tokens.map(presentApiToken) };
  }

  @Post()
  @Endpoint({
    summary: 'Make an API token, which is shown this once',
    audit: 'api_token.create',
    access: 'session',
    response: createApiTokenResponse,
    status: 201,
    idempotent: true,
  })
  async create(
    @ProjectId() projectId: number,
    @ResourceId() id: number,
    @Body({ schema: createApiToken }) body: z.output<typeof createApiToken>,
  ) {
    const { apiToken, token } = await this.tokens.create(projectId, {
      id,
      name: body.name,
      access: body.access,
      seesMoney: body.sees_money,
    });
    return { api_token: presentApiToken(apiToken), token };
  }

  @Delete(':id')
  @Endpoint({ summary: 'Revoke an API token at once', audit: 'api_token.revoke', access: 'session' })
  async revoke(@ProjectId() projectId: number, @Param({ schema: byId }) { id }: z.output<typeof byId>) {
    await this.tokens.revoke(projectId, id);
  }
}

function presentApiToken(token: ApiToken): ApiTokenWire {
  return {
    id: token.id,
    name: token.name,
    access: token.access,
    sees_money: token.seesMoney,
    last4: token.last4,
    created: token.createdAt.toISOString(),
    last_used: token.lastUsedAt?.toISOString() ?? null,
    revoked: token.revokedAt?.toISOString() ?? null,
  };
}
