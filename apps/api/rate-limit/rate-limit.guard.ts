import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { type RateLimitAnswer, type RateLimiter, RateLimits } from '#libs/queue';
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
    if (!request.url.startsWith('/v1/')) return true;
    const answer = await this.limiter.consume(keyOf(request));
    setRateLimitHeaders(context.switchToHttp().getResponse<FastifyReply>(), answer);
    if (!answer.allowed) throw tooMany(answer);
    return true;
  }
}

export function setRateLimitHeaders(reply: FastifyReply, answer: RateLimitAnswer): void {
  reply.header('RateLimit-Limit', answer.limit);
  reply.header('RateLimit-Remaining', answer.remaining);
  reply.header('RateLimit-Reset', answer.resetAtEpochSeconds);
}

export function tooMany(answer: RateLimitAnswer): ApiError {
  const reset = new Date(answer.resetAtEpochSeconds * 1000).toISOString();
  return new ApiError(
    'rate_limit_exceeded',
    `limit of ${answer.limit} requests reached; wait until ${reset}`,
  );
}

function keyOf({ user, ip }: AuthenticatedRequest): string {
  if (!user) return `ip:${ip}`;
  return user.kind === 'token' ? `token:${user.tokenId}` : `account:${user.accountId}`;
}
