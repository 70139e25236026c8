import { Body, Controller, Get, Param, Post } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { z } from 'zod';
import { AccountsService, standingSuspensions } from '#libs/accounts';
import { accountSuspensionsResponse, byId, suspendAccount, unsuspendAccount } from '#libs/contracts';
import { AccountSuspensions } from '#libs/dunning';
import { presentSuspension } from '../accounts/account.presenter.ts';
import { Audited, type AuditTrail } from '../audit/audit-trail.ts';
import { Endpoint } from '../http/endpoint.ts';

type ById = z.output<typeof byId>;

@Controller('v1/operator/accounts')
export class AccountSuspensionsController {
  constructor(
    private readonly dataSource: DataSource,
    private readonly accounts: AccountsService,
    private readonly suspensions: AccountSuspensions,
  ) {}

  @Get(':id')
  @Endpoint({
    summary: 'What stands against an account',
    access: 'operator',
    response: accountSuspensionsResponse,
  })
  async get(@Param({ schema: byId }) { id }: ById) {
    return this.present(id);
  }

  @Post(':id/actions/suspend')
  @Endpoint({
    summary: 'Switch all servers of an account off and keep them so, for a reason',
    audit: 'account.suspend',
    access: 'operator',
    response: accountSuspensionsResponse,
  })
  async suspend(
    @Param({ schema: byId }) { id }: ById,
    @Audited() audit: AuditTrail,
    @Body({ schema: suspendAccount }) { reason, note }: z.output<typeof suspendAccount>,
  ) {
    await this.suspensions.suspend(id, reason, note, (manager) => audit.write(manager, id, { reason, note }));
    return this.present(id);
  }

  @Post(':id/actions/unsuspend')
  @Endpoint({
    summary: 'Lift one reason; the servers are given back when none is left',
    audit: 'account.unsuspend',
    access: 'operator',
    response: accountSuspensionsResponse,
  })
  async unsuspend(
    @Param({ schema: byId }) { id }: ById,
    @Audited() audit: AuditTrail,
    @Body({ schema: unsuspendAccount }) { reason }: z.output<typeof unsuspendAccount>,
  ) {
    await this.suspensions.lift(id, reason, (manager) => audit.write(manager, id, { reason }));
    return this.present(id);
  }

  private async present(id: number) {
    const { email } = await this.accounts.get(id);
    const suspensions = await standingSuspensions(this.dataSource.manager, id);
    return { account: { id, email, suspensions: suspensions.map(presentSuspension) } };
  }
}
