import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { type AuditDetail, type AuditRecord, AuditService } from '#libs/accounts';
import type { AuthenticatedRequest } from '../auth/principal.ts';

/** Who asks for what, and from where; known before the request is handled. */
export type AuditedRequest = Pick<
  AuditRecord,
  'accountId' | 'actorKind' | 'actorId' | 'action' | 'subjectKind' | 'ip'
>;

interface TrailedRequest extends AuthenticatedRequest {
  auditTrail?: AuditTrail;
}

/**
 * The audit's entry of one request. A handler that moves money writes it in its own transaction, so that neither is
 * without the other; of all others the interceptor writes it afterwards.
 */
export class AuditTrail {
  private written = false;

  constructor(
    private readonly audit: AuditService,
    readonly request: AuditedRequest,
  ) {}

  get isWritten(): boolean {
    return this.written;
  }

  /** @param subject an id, or a name where there is no number */
  async write(manager: EntityManager, subject: number | string, detail: AuditDetail = {}): Promise<void> {
    const named =
      typeof subject === 'number' ? { subjectId: subject } : { subjectId: null, subjectName: subject };
    await this.audit.record({ ...this.request, ...named, detail }, manager);
    this.written = true;
  }
}

export function leaveTrail(request: AuthenticatedRequest, trail: AuditTrail): void {
  (request as TrailedRequest).auditTrail = trail;
}

/** The trail of the request, for a handler of an endpoint that the audit has a name for. */
export const Audited = createParamDecorator((_: unknown, context: ExecutionContext): AuditTrail => {
  const { auditTrail } = context.switchToHttp().getRequest<TrailedRequest>();
  if (auditTrail) return auditTrail;
  throw new Error(`${context.getClass().name}.${context.getHandler().name} has no name in the audit`);
});
