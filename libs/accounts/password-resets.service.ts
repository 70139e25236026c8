import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { runInTransaction } from '#libs/database';
import { systemClock } from '#libs/kernel';
import { queueMail } from '#libs/mail';
import { EnvelopeCipher } from '#libs/secrets';
import { Account } from './account.entity.ts';
import { AccountsService } from './accounts.service.ts';
import { AuditService } from './audit.service.ts';
import { confirmEmail } from './email-confirmations.service.ts';
import { assertLinkIsGood, makeLink, useLink } from './mailed-links.ts';
import { hashPassword } from './password-hasher.ts';
import { Session } from './session.entity.ts';

/** Lets people who forgot their password set a new one, by a link to their address. */
@Injectable()
export class PasswordResets {
  constructor(
    private readonly dataSource: DataSource,
    private readonly cipher: EnvelopeCipher,
    private readonly accounts: AccountsService,
    private readonly audit: AuditService,
  ) {}

  /** Sends the link where there is such an account, and tells nobody whether there is. */
  async request(email: string, ip: string): Promise<void> {
    const accountId = await this.accounts.idOf(email);
    if (accountId === undefined) return;
    await runInTransaction(this.dataSource, async (manager) => {
      const account = await manager.findOneByOrFail(Account, { id: accountId });
      const link = await makeLink(manager, this.cipher, { accountId, purpose: 'reset_password' });
      await queueMail(manager, {
        cause: `password reset ${link.id}`,
        accountId,
        // As the account spells it: who asks may spell it so that it reaches another mailbox.
        to: account.email,
        template: 'reset-password',
        data: { token: link.token },
        worthSendingSeconds: link.validSeconds,
      });
      const who = { accountId, actorKind: 'session', actorId: null, ip } as const;
      const what = { action: 'account.ask_password_reset', subjectKind: 'account', subjectId: accountId };
      await this.audit.record({ ...who, ...what }, manager);
    });
  }

  /**
   * Sets a new password and ends all sessions, and API tokens where that is asked for; the owner is told by mail. Who follows
   * the link reads the account's mail, so the address is confirmed by that. Tokens from before anybody had confirmed it may
   * be those of a stranger who signed up with it, and end in any case.
   *
   * @throws AccountsError `link_gone`
   */
  async complete(
    token: string,
    password: string,
    { revokesTokens }: { readonly revokesTokens: boolean },
  ): Promise<Account> {
    await assertLinkIsGood(this.dataSource.manager, 'reset_password', token);
    const passwordHash = await hashPassword(password);
    return runInTransaction(this.dataSource, async (manager) => {
      const accountId = await useLink(manager, 'reset_password', token);
      await manager.update(Account, { id: accountId }, { passwordHash });
      await manager.delete(Session, { accountId });
      const { emailConfirmedAt } = await manager.findOneByOrFail(Account, { id: accountId });
      if (revokesTokens || emailConfirmedAt === null) await this.revokeTokens(manager, accountId);
      await confirmEmail(manager, accountId);
      const account = await manager.findOneByOrFail(Account, { id: accountId });
      const at = systemClock.now().toISOString();
      await queueMail(manager, {
        cause: `password changed ${accountId} ${at}`,
        accountId,
        to: account.email,
        template: 'password-changed',
        data: { at: `${at.slice(0, 16).replace('T', ' ')} UTC` },
      });
      return account;
    });
  }

  private async revokeTokens(manager: EntityManager, accountId: number): Promise<void> {
    const [, tokens] = await manager.query<[unknown[], number]>(
      `UPDATE api_tokens SET revoked_at = now() FROM projects p
       WHERE p.id = api_tokens.project_id AND p.account_id = $1 AND revoked_at IS NULL`,
      [accountId],
    );
    if (tokens === 0) return;
    const who = { accountId, actorKind: 'session', actorId: null } as const;
    const what = { action: 'account.revoke_api_tokens', subjectKind: 'account', subjectId: accountId };
    await this.audit.record({ ...who, ...what, detail: { tokens } }, manager);
  }
}
