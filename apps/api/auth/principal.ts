import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { AccountRole, TokenAccess } from '#libs/accounts';
import { ApiError } from '../http/api-error.ts';

/** Who is asking, and in which project. */
export type Principal =
  | {
      readonly kind: 'token';
      readonly tokenId: number;
      readonly accountId: number;
      readonly projectId: number;
      readonly access: TokenAccess;
      readonly seesMoney: boolean;
    }
  | {
      readonly kind: 'session';
      readonly sessionId: number;
      readonly accountId: number;
      readonly projectId: number;
      readonly role: AccountRole;
      readonly isRenewed: boolean;
    };

/** Passport puts what a strategy returns here. */
export interface AuthenticatedRequest extends FastifyRequest {
  user?: Principal;
}

/** @throws ApiError `unauthorized` on a public endpoint that asks for it without being signed in. */
export function principalOf(request: AuthenticatedRequest): Principal {
  if (!request.user) throw new ApiError('unauthorized', 'unable to authenticate');
  return request.user;
}

/** The principal of the request, as a parameter of a handler. */
export const CurrentPrincipal = createParamDecorator((_: unknown, context: ExecutionContext) =>
  principalOf(context.switchToHttp().getRequest<AuthenticatedRequest>()),
);

/** The id of the project that the request works in. */
export const ProjectId = createParamDecorator(
  (_: unknown, context: ExecutionContext) =>
    principalOf(context.switchToHttp().getRequest<AuthenticatedRequest>()).projectId,
);
