import { Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import type { FastifyRequest } from 'fastify';
import { Strategy } from 'passport-custom';
import { ApiTokensService } from '#libs/accounts';
import { SignInLimits } from '../rate-limit/sign-in-limits.ts';
import type { Principal } from './principal.ts';

const BEARER = /^Bearer +([A-Za-z0-9]+)$/i;

/** `Authorization: Bearer <token>`. A token in a query string would end in logs, so it is not read there. */
@Injectable()
export class ApiTokenStrategy extends PassportStrategy(Strategy, 'api-token') {
  constructor(
    private readonly tokens: ApiTokensService,
    private readonly limits: SignInLimits,
  ) {
    super();
  }

  async validate(request: FastifyRequest): Promise<Principal | false> {
    const { authorization } = request.headers;
    if (authorization === undefined) return false;
    const [, token] = BEARER.exec(authorization) ?? [];
    const bearer = token === undefined ? undefined : await this.tokens.authenticate(token);
    if (bearer) return { kind: 'token', ...bearer };
    await this.limits.wrongToken(request.ip);
    return false;
  }
}
