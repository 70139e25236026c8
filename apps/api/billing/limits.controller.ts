import { Body, Controller, Get, Inject, Put } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { z } from 'zod';
import { alertedPercents, monthSpending, setSpendingLimit, spendingLimit } from '#libs/billing';
import { ENVIRONMENT, type Environment } from '#libs/config';
import { type LimitsWire, limitsResponse, putLimits } from '#libs/contracts';
import type { Clock } from '#libs/kernel';
import { MONEY_CLOCK } from '#libs/payments';
import { CurrentPrincipal, type Principal } from '../auth/principal.ts';
import { Endpoint } from '../http/endpoint.ts';

/** What the customer wants to spend at most: warnings on the way, and no further orders when they say so. */
@Controller('v1/billing/limits')
export class LimitsController {
  constructor(
    private readonly dataSource: DataSource,
    @Inject(ENVIRONMENT) private readonly environment: Environment,
    @Inject(MONEY_CLOCK) private readonly clock: Clock,
  ) {}

  @Get()
  @Endpoint({
    summary: 'The spending limit and how far it is reached',
    access: 'spend',
    response: limitsResponse,
  })
  async get(@CurrentPrincipal() { accountId }: Principal) {
    return { limits: await this.present(accountId) };
  }

  @Put()
  @Endpoint({
    summary: 'Set a spending limit for each month, or take it away',
    audit: 'account.change_limits',
    access: 'session',
    response: limitsResponse,
  })
  async put(
    @CurrentPrincipal() { accountId }: Principal,
    @Body({ schema: putLimits }) { spending }: z.output<typeof putLimits>,
  ) {
    const limit = spending && {
      amountMinor: spending.amount_minor,
      isHard: spending.is_hard,
      alertPercents: spending.alert_percents,
    };
    await setSpendingLimit(this.dataSource.manager, accountId, limit);
    return { limits: await this.present(accountId) };
  }

  private async present(accountId: number): Promise<LimitsWire> {
    const { manager } = this.dataSource;
    const now = this.clock.now();
    const limit = await spendingLimit(manager, accountId);
    const { totalMinor } = await monthSpending(manager, accountId, now);
    return {
      currency: this.environment.SERVERY_CURRENCY,
      spending: limit
        ? {
            amount_minor: limit.amountMinor,
            is_hard: limit.isHard,
            alert_percents: [...limit.alertPercents],
          }
        : null,
      spent_minor: totalMinor,
      alerted_percents: await alertedPercents(manager, accountId, now),
    };
  }
}
