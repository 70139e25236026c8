import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { ENVIRONMENT, type Environment } from '#libs/config';
import { ApiError } from '../http/api-error.ts';
import { sessionTokenOf } from './session-cookie.ts';

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Another site's page may not use the session of its visitor, nor sign its visitor in. A request with a token
 * in its header cannot come from such a page.
 */
@Injectable()
export class CsrfGuard implements CanActivate {
  private readonly origin: string;

  constructor(@Inject(ENVIRONMENT) environment: Environment) {
    this.origin = new URL(environment.SERVERY_URL).origin;
  }

  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    if (SAFE_METHODS.has(request.method) || request.headers.authorization !== undefined) return true;
    const verdict = this.isSameOrigin(request);
    if (verdict === true || (verdict === 'unknown' && sessionTokenOf(request) === undefined)) return true;
    throw new ApiError('csrf', `changes by session cookie must come from ${this.origin} (header Origin)`);
  }

  private isSameOrigin(request: FastifyRequest): boolean | 'unknown' {
    const site = request.headers['sec-fetch-site'];
    if (site !== undefined) return site === 'same-origin';
    const { origin } = request.headers;
    return origin === undefined ? 'unknown' : origin === this.origin;
  }
}
