import { type ExecutionContext, Injectable } from '@nestjs/common';
import { AuthGuard } from '@nestjs/passport';
import type { FastifyReply } from 'fastify';
import { ApiError } from '../http/api-error.ts';
import { endpointOf } from '../http/endpoints.ts';
import type { AuthenticatedRequest } from './principal.ts';
import { sessionTokenOf, setSessionCookie } from './session-cookie.ts';

/** Finds out who is asking, by token or by session, on every endpoint that is not public. */
@Injectable()
export class AuthenticationGuard extends AuthGuard(['api-token', 'session-cookie']) {
  override async canActivate(context: ExecutionContext): Promise<boolean> {
    if (endpointOf(context).access === 'public') return true;
    await super.canActivate(context);
    const http = context.switchToHttp();
    const request = http.getRequest<AuthenticatedRequest>();
    const token = sessionTokenOf(request);
    if (token !== undefined && request.user?.kind === 'session' && request.user.isRenewed) {
      setSessionCookie(http.getResponse<FastifyReply>(), token);
    }
    return true;
  }

  override handleRequest<T>(error: unknown, principal: T): T {
    if (error) throw error;
    if (!principal) throw new ApiError('unauthorized', 'unable to authenticate');
    return principal;
  }
}
