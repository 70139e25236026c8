import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { AccountsService, type Suspension, standingSuspensions } from '#libs/accounts';
import { runInTransaction } from '#libs/database';
import { ServerSuspensions } from '#libs/servers';
import { liftForOperator, type OperatorReason, suspendForOperator } from './operator-suspensions.ts';

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
      await suspendForOperator(manager, { accountId, reason, note });
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
      await liftForOperator(manager, { accountId, reason });
    });
    return this.follow(accountId);
  }

  private async follow(accountId: number): Promise<readonly Suspension[]> {
    await this.servers.align(accountId);
    return standingSuspensions(this.dataSource.manager, accountId);
  }
}
