import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { isUniqueViolation, runInTransaction } from '#libs/database';
import { newId } from '#libs/kernel';
import { Account, type AccountRole } from './account.entity.ts';
import { AccountsError, notFound } from './accounts.errors.ts';
import { hashPassword, verifyPassword } from './password-hasher.ts';
import { Project } from './project.entity.ts';
import { Session } from './session.entity.ts';

/** New accounts are small; an operator raises them. */
const NEW_ACCOUNT_LIMITS = { maxServers: 5, maxVcpus: 8, maxMemoryMib: 16_384, maxVolumeGib: 500 };
const FIRST_PROJECT_NAME = 'Default';

export interface NewAccount {
  readonly email: string;
  readonly password: string;
  readonly name?: string;
}

export interface SignedUp {
  /** With its password's hash. */
  readonly account: Account;
  readonly project: Project;
}

type AlsoDone = (manager: EntityManager, account: Account) => Promise<void>;

@Injectable()
export class AccountsService {
  constructor(private readonly dataSource: DataSource) {}

  /**
   * A new customer with a first project. `also` is done in the same transaction.
   * @throws AccountsError `email_taken`
   */
  signUp(input: NewAccount, also?: AlsoDone): Promise<SignedUp> {
    return this.create(input, { role: 'customer', emailConfirmedAt: null }, also);
  }

  /**
   * An operator, whose address needs no confirmation; an account that has this e-mail already is promoted and gets this password. Whoever signed in with
   * the former one must not become an operator by that, so its sessions end.
   */
  async createOperator(input: NewAccount): Promise<Account> {
    const existing = await this.findByEmail(input.email);
    const emailConfirmedAt = existing?.emailConfirmedAt ?? new Date();
    if (!existing) return (await this.create(input, { role: 'operator', emailConfirmedAt })).account;
    const passwordHash = await hashPassword(input.password);
    await runInTransaction(this.dataSource, async (manager) => {
      await manager.update(
        Account,
        { id: existing.id },
        { role: 'operator', passwordHash, emailConfirmedAt },
      );
      await manager.delete(Session, { accountId: existing.id });
    });
    return this.get(existing.id);
  }

  /**
   * The account of these credentials, with its password's hash. Takes as long where there is none.
   * @throws AccountsError `wrong_credentials`
   */
  async authenticate(email: string, password: string): Promise<Account> {
    const account = await this.findByEmail(email);
    const matches = await verifyPassword(account?.passwordHash, password);
    if (!account || !matches) throw new AccountsError('wrong_credentials', 'e-mail or password is wrong');
    return account;
  }

  /** @throws AccountsError `account_not_found` */
  async get(id: number): Promise<Account> {
    const account = await this.dataSource.getRepository(Account).findOneBy({ id });
    if (!account) throw notFound('account_not_found', 'account', id);
    return account;
  }

  private async create(
    input: NewAccount,
    standing: { readonly role: AccountRole; readonly emailConfirmedAt: Date | null },
    also?: AlsoDone,
  ): Promise<SignedUp> {
    const account = {
      ...NEW_ACCOUNT_LIMITS,
      id: newId(),
      email: input.email,
      passwordHash: await hashPassword(input.password),
      name: input.name ?? input.email.slice(0, input.email.indexOf('@')),
      ...standing,
      trusted: false,
      createdAt: new Date(),
    };
    const project = { id: newId(), accountId: account.id, name: FIRST_PROJECT_NAME, createdAt: new Date() };
    try {
      await runInTransaction(this.dataSource, async (manager) => {
        await manager.insert(Account, account);
        await manager.insert(Project, project);
        await also?.(manager, account);
      });
    } catch (error) {
      if (!isUniqueViolation(error, 'accounts_email')) throw error;
      throw new AccountsError('email_taken', 'this e-mail has an account already; sign in', 'email');
    }
    return { account, project };
  }

  /** The id of the account that signs in with this e-mail, if there is one. */
  async idOf(email: string): Promise<number | undefined> {
    return (await this.findByEmail(email))?.id;
  }

  /** Folded here, as where tries are counted: PostgreSQL takes more letters for one, such as İ for i. */
  private findByEmail(email: string): Promise<Account | null> {
    return this.dataSource
      .getRepository(Account)
      .createQueryBuilder('account')
      .addSelect('account.passwordHash')
      .where('lower(account.email) = :email', { email: email.toLowerCase() })
      .getOne();
  }
}
