import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { ApiError } from '../http/api-error.ts';
import type { Access } from '../http/endpoint.ts';
import { endpointOf } from '../http/endpoints.ts';
import { type AuthenticatedRequest, type Principal, principalOf } from './principal.ts';

/** Whether who is asking may do this kind of thing at all. */
@Injectable()
export class AccessGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const { access } = endpointOf(context);
    if (access === 'public') return true;
    assertAccess(access, principalOf(context.switchToHttp().getRequest<AuthenticatedRequest>()));
    return true;
  }
}

function assertAccess(access: Exclude<Access, 'public'>, principal: Principal): void {
  if (principal.kind === 'token') {
    if (access === 'session' || access === 'operator') {
      throw new ApiError('forbidden', 'an API token may not do this; sign in');
    }
    if (access === 'write' && principal.access === 'read') {
      throw new ApiError('token_readonly', 'this token may only read');
    }
    if (access === 'spend' && !principal.seesMoney) {
      throw new ApiError(
        'forbidden',
        "this token is not shown the account's money; make one with sees_money",
      );
    }
  } else if (access === 'operator' && principal.role !== 'operator') {
    throw new ApiError('forbidden', 'only operators may do this');
  }
}
