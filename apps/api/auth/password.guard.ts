import { type ExecutionContext, Injectable } from '@nestjs/common';
import { AuthGuard } from '@nestjs/passport';
import type { FastifyRequest } from 'fastify';
import { AccountsService, AuditService } from '#libs/accounts';
import { signIn } from '#libs/contracts';
import { ApiError } from '../http/api-error.ts';
import { toInvalidInput } from '../http/validation.pipe.ts';
import { SignInLimits } from '../rate-limit/sign-in-limits.ts';

/** Signs in with e-mail and password; wrong ones are limited. Guards run before pipes, so it checks the body. */
@Injectable()
export class PasswordGuard extends AuthGuard('password') {
  constructor(
    private readonly limits: SignInLimits,
    private readonly accounts: AccountsService,
    private readonly audit: AuditService,
  ) {
    super();
  }

  override async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const body = signIn.safeParse(request.body);
    if (!body.success) throw toInvalidInput(body.error.issues);
    const { email } = body.data;
    const lockOut = () => this.recordLockOut(email, request.ip);
    const attempt = await this.limits.attempt(email, request.ip, lockOut);
    await super.canActivate(context);
    await attempt.succeeded();
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
