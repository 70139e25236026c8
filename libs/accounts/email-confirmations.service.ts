import { Inject, Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { ENVIRONMENT, type Environment } from '#libs/config';
import { runInTransaction } from '#libs/database';
import { queueMail } from '#libs/mail';
import { EnvelopeCipher } from '#libs/secrets';
import { Account } from './account.entity.ts';
import { AccountsError, notFound } from './accounts.errors.ts';
import { makeLink, useLink } from './mailed-links.ts';

/** Finds out whether somebody who reads an account's address made the account. */
@Injectable()
export class EmailConfirmations {
  constructor(
    private readonly dataSource: DataSource,
    private readonly cipher: EnvelopeCipher,
    @Inject(ENVIRONMENT) private readonly environment: Environment,
  ) {}

  /** Queues the mail with the link, in the caller's transaction. */
  async send(manager: EntityManager, { id, email }: Pick<Account, 'id' | 'email'>): Promise<void> {
    const link = await makeLink(manager, this.cipher, { accountId: id, purpose: 'confirm_email' });
    await queueMail(manager, {
      cause: `confirmation ${link.id}`,
      accountId: id,
      to: email,
      template: 'confirm-email',
      data: { token: link.token },
      worthSendingSeconds: link.validSeconds,
    });
  }

  /** @throws AccountsError `account_not_found`, `email_already_confirmed` */
  sendAgain(accountId: number): Promise<void> {
    return runInTransaction(this.dataSource, async (manager) => {
      const account = await accountOf(manager, accountId);
      if (account.emailConfirmedAt !== null) {
        throw new AccountsError('email_already_confirmed', 'this address is confirmed already');
      }
      await this.send(manager, account);
    });
  }

  /** @throws AccountsError `link_gone` */
  complete(token: string): Promise<Account> {
    return runInTransaction(this.dataSource, async (manager) => {
      const accountId = await useLink(manager, 'confirm_email', token);
      await confirmEmail(manager, accountId);
      return accountOf(manager, accountId);
    });
  }

  /**
   * Where the operator asks for confirmed addresses, an account without one orders nothing.
   * @throws AccountsError `email_unconfirmed`
   */
  async assertMayOrder(accountId: number): Promise<void> {
    if (!this.environment.SERVERY_REQUIRE_CONFIRMED_EMAIL) return;
    const { emailConfirmedAt } = await accountOf(this.dataSource.manager, accountId);
    if (emailConfirmedAt !== null) return;
    throw new AccountsError(
      'email_unconfirmed',
      'confirm your e-mail address first: follow the link in the mail that it was sent',
    );
  }
}

/** The address is its owner's: they followed a link that went there. */
export async function confirmEmail(manager: EntityManager, accountId: number): Promise<void> {
  await manager.query(
    'UPDATE accounts SET email_confirmed_at = now() WHERE id = $1 AND email_confirmed_at IS NULL',
    [accountId],
  );
}

async function accountOf(manager: EntityManager, id: number): Promise<Account> {
  const account = await manager.findOneBy(Account, { id });
  if (!account) throw notFound('account_not_found', 'account', id);
  return account;
}
