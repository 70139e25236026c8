import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { countedAddress, type RateLimitAnswer, type RateLimiter, RateLimits } from '#libs/queue';
import type { AuthenticatedRequest } from '../auth/principal.ts';
import { ApiError } from '../http/api-error.ts';
import { API_LIMIT, type Limit } from './limits.ts';

/** Counts each request against the limit of its token, account or, where nobody is signed in, address. */
@Injectable()
export class RateLimitGuard implements CanActivate {
  private readonly limiter: RateLimiter;

  constructor(limits: RateLimits, @Inject(API_LIMIT) limit: Limit) {
    this.limiter = limits.limiter({ name: 'api', ...limit });
  }

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<AuthenticatedRequest>();
    // The route, and not the request's address, which may be spelled in many ways.
    if (!request.routeOptions.url?.startsWith('/v1/')) return true;
    const answer = await this.limiter.consume(keyOf(request));
    if (!answer.allowed) throw tooMany(answer);
    context.switchToHttp().getResponse<FastifyReply>().headers(rateLimitHeaders(answer));
    return true;
  }
}

function rateLimitHeaders(answer: RateLimitAnswer): Record<string, string> {
  return {
    'RateLimit-Limit': String(answer.limit),
    'RateLimit-Remaining': String(answer.remaining),
    'RateLimit-Reset': String(answer.resetAtEpochSeconds),
  };
}

export function tooMany(answer: RateLimitAnswer, of = 'requests'): ApiError {
  const reset = new Date(answer.resetAtEpochSeconds * 1000);
  const seconds = Math.max(1, Math.ceil((reset.getTime() - Date.now()) / 1000));
  return new ApiError(
    'rate_limit_exceeded',
    `limit of ${answer.limit} ${of} reached; wait until ${reset.toISOString()}`,
    { headers: { ...rateLimitHeaders(answer), 'Retry-After': String(seconds) } },
  );
}

function keyOf({ user, ip }: AuthenticatedRequest): string {
  if (!user) return `ip:${countedAddress(ip)}`;
  return user.kind === 'token' ? `token:${user.tokenId}` : `account:${user.accountId}`;
}
