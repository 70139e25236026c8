import {
  type CallHandler,
  type ExecutionContext,
  Injectable,
  Logger,
  type NestInterceptor,
} from '@nestjs/common';
import { mergeMap, type Observable } from 'rxjs';
import { type AuditRecord, AuditService } from '#libs/accounts';
import type { AuthenticatedRequest, Principal } from '../auth/principal.ts';
import { endpointOf } from '../http/endpoints.ts';
import { type AuditedRequest, AuditTrail, leaveTrail } from './audit-trail.ts';

type Answer = Readonly<Record<string, { readonly id?: unknown } | null | undefined>>;

/**
 * Writes down who did what, when and from where, for every endpoint that says what the audit calls it. Refused
 * requests changed nothing and are not written; repeated ones are answered before they come here.
 */
@Injectable()
export class AuditInterceptor implements NestInterceptor {
  private readonly log = new Logger(AuditInterceptor.name);

  constructor(private readonly audit: AuditService) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const { audit: action } = endpointOf(context);
    if (action === undefined) return next.handle();
    const request = context.switchToHttp().getRequest<AuthenticatedRequest>();
    const trail = new AuditTrail(this.audit, requestOf(request, action));
    leaveTrail(request, trail);
    return next.handle().pipe(
      mergeMap(async (answer: unknown) => {
        if (!trail.isWritten) await this.write(recordOf(request, trail.request, (answer ?? {}) as Answer));
        return answer;
      }),
    );
  }

  /** What was done is done: an entry that cannot be written goes to the log, and the answer to its client. */
  private async write(record: AuditRecord): Promise<void> {
    try {
      await this.audit.record(record);
    } catch (err) {
      this.log.error({ err, record }, 'an audit entry could not be written');
    }
  }
}

function requestOf(request: AuthenticatedRequest, action: string): AuditedRequest {
  const subjectKind = action.slice(0, action.indexOf('.'));
  const principal = isPrincipal(request.user) ? request.user : undefined;
  const accountId = principal?.accountId ?? null;
  return { accountId, ...actorOf(principal), action, subjectKind, ip: request.ip };
}

/** The subject is what the answer made, or what the path names; signing in and out are about the account. */
function recordOf(request: AuthenticatedRequest, audited: AuditedRequest, answer: Answer): AuditRecord {
  const { subjectKind } = audited;
  const accountId = audited.accountId ?? Number(answer.account?.id);
  const { id } = request.params as { id?: unknown };
  const named = subjectKind === 'account' ? (id ?? accountId) : (answer[subjectKind]?.id ?? id);
  return { ...audited, accountId, subjectId: Number(named) };
}

function actorOf(principal: Principal | undefined): Pick<AuditRecord, 'actorKind' | 'actorId'> {
  if (!principal) return { actorKind: 'session', actorId: null };
  if (principal.kind === 'token') return { actorKind: 'token', actorId: principal.tokenId };
  const actorKind = principal.role === 'operator' ? 'operator' : 'session';
  return { actorKind, actorId: principal.sessionId };
}

/** On signing in, Passport leaves the account there. */
function isPrincipal(user: Principal | undefined): user is Principal {
  return user !== undefined && 'kind' in user;
}
