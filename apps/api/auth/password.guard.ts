import { type ExecutionContext, Injectable } from '@nestjs/common';
import { AuthGuard } from '@nestjs/passport';
import type { FastifyRequest } from 'fastify';
import { AccountsService, AuditService } from '#libs/accounts';
import { signIn } from '#libs/contracts';
import { type RateLimiter, RateLimits } from '#libs/queue';
import { ApiError } from '../http/api-error.ts';
import { toInvalidInput } from '../http/validation.pipe.ts';
import { signInLimit } from '../rate-limit/limits.ts';
import { tooMany } from '../rate-limit/rate-limit.guard.ts';

/** Signs in with e-mail and password, a limited number of times. Guards run before pipes, so it checks the body. */
@Injectable()
export class PasswordGuard extends AuthGuard('password') {
  private readonly limiter: RateLimiter;

  constructor(
    limits: RateLimits,
    private readonly accounts: AccountsService,
    private readonly audit: AuditService,
  ) {
    super();
    this.limiter = limits.limiter({ name: 'sign-in', ...signInLimit });
  }

  override async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const body = signIn.safeParse(request.body);
    if (!body.success) throw toInvalidInput(body.error.issues);
    const answer = await this.limiter.consume(`${request.ip}:${body.data.email.toLowerCase()}`);
    if (answer.isFirstRefusal) await this.recordLockOut(body.data.email, request.ip);
    if (!answer.allowed) throw tooMany(answer);
    await super.canActivate(context);
    return true;
  }

  /** Once for each address and window: whoever guesses passwords does not fill the audit as well. */
  private async recordLockOut(email: string, ip: string): Promise<void> {
    const accountId = await this.accounts.idOf(email);
    if (accountId === undefined) return;
    const subject = { subjectKind: 'account', subjectId: accountId };
    await this.audit.record({
      ...subject,
      accountId,
      actorKind: 'system',
      actorId: null,
      action: 'account.sign_in_locked',
      ip,
    });
  }

  override handleRequest<T>(error: unknown, account: T): T {
    if (error) throw error;
    if (!account) throw new ApiError('unauthorized', 'e-mail or password is wrong');
    return account;
  }
}
