import { Module } from '@nestjs/common';
import { AccountsModule } from '#libs/accounts';
import { ServersModule } from '#libs/servers';
import { AccountSuspensions } from './account-suspensions.service.ts';

/** What an operator does about accounts; the ladder itself is advanced by the worker. */
@Module({
  imports: [AccountsModule, ServersModule],
  providers: [AccountSuspensions],
  exports: [AccountSuspensions],
})
export class DunningModule {}
