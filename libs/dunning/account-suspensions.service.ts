import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import {
  AccountsService,
  liftSuspension,
  type Suspension,
  type SuspensionReason,
  standingSuspensions,
  suspendAccount,
} from '#libs/accounts';
import { runInTransaction } from '#libs/database';
import { ServerSuspensions } from '#libs/servers';
import { mailRestored, mailSuspended } from './dunning-mails.ts';

/** What an operator may suspend for. Billing's own suspensions come and go with what is owed. */
export type OperatorReason = Exclude<SuspensionReason, 'billing'>;

/** Suspends accounts at an operator's word, and lifts that again. */
@Injectable()
export class AccountSuspensions {
  constructor(
    private readonly dataSource: DataSource,
    private readonly accounts: AccountsService,
    private readonly servers: ServerSuspensions,
  ) {}

  /**
   * @param note for the customer: what is wrong
   * @param audit writes down who says so, in the same transaction
   * @throws AccountsError `account_not_found`
   */
  async suspend(
    accountId: number,
    reason: OperatorReason,
    note: string,
    audit: (manager: EntityManager) => Promise<void>,
  ): Promise<readonly Suspension[]> {
    await this.accounts.get(accountId);
    await runInTransaction(this.dataSource, async (manager) => {
      await audit(manager);
      const begun = await suspendAccount(manager, { accountId, reason, note, at: new Date() });
      if (begun) await mailSuspended(manager, accountId, begun);
    });
    return this.follow(accountId);
  }

  /** Success where the reason does not stand. @throws AccountsError `account_not_found` */
  async lift(
    accountId: number,
    reason: OperatorReason,
    audit: (manager: EntityManager) => Promise<void>,
  ): Promise<readonly Suspension[]> {
    await this.accounts.get(accountId);
    await runInTransaction(this.dataSource, async (manager) => {
      await audit(manager);
      const lifted = await liftSuspension(manager, { accountId, reason, at: new Date() });
      const isFree = (await standingSuspensions(manager, accountId)).length === 0;
      if (lifted && isFree) await mailRestored(manager, accountId, lifted, false);
    });
    return this.follow(accountId);
  }

  private async follow(accountId: number): Promise<readonly Suspension[]> {
    await this.servers.align(accountId);
    return standingSuspensions(this.dataSource.manager, accountId);
  }
}
