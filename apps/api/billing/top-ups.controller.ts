import { Body, Controller, Get, Inject, Post, Put } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { z } from 'zod';
import { AccountsService } from '#libs/accounts';
import { ensureBooks, payingOf, setRecharge } from '#libs/billing';
import { ENVIRONMENT, type Environment } from '#libs/config';
import {
  createTopUp,
  createTopUpResponse,
  openPortal,
  openPortalResponse,
  putRecharge,
  rechargeResponse,
} from '#libs/contracts';
import { runInTransaction } from '#libs/database';
import type { Clock } from '#libs/kernel';
import { MONEY_CLOCK, TopUpsService } from '#libs/payments';
import { CurrentPrincipal, type Principal } from '../auth/principal.ts';
import { Endpoint } from '../http/endpoint.ts';

/** Paying in: on the provider's pages, what they do being told by its events, or by itself when credit runs low. */
@Controller('v1/billing')
export class TopUpsController {
  constructor(
    private readonly topUps: TopUpsService,
    private readonly accounts: AccountsService,
    private readonly dataSource: DataSource,
    @Inject(ENVIRONMENT) private readonly environment: Environment,
    @Inject(MONEY_CLOCK) private readonly clock: Clock,
  ) {}

  @Post('top_ups')
  @Endpoint({
    summary: 'Open a page of the payment provider on which credit is paid in',
    access: 'session',
    response: createTopUpResponse,
    status: 201,
    idempotent: true,
  })
  async open(
    @CurrentPrincipal() { accountId }: Principal,
    @Body({ schema: createTopUp }) body: z.output<typeof createTopUp>,
  ) {
    const { email, name } = await this.accounts.get(accountId);
    const back = this.environment.SERVERY_URL + body.return_path;
    const separator = back.includes('?') ? '&' : '?';
    const { id, url } = await this.topUps.open({
      accountId,
      email,
      name,
      amountMinor: body.amount_minor,
      currency: this.environment.SERVERY_CURRENCY,
      savesCard: body.save_card,
      successUrl: `${back}${separator}paid=1`,
      cancelUrl: `${back}${separator}cancelled=1`,
    });
    return { top_up: { id, url } };
  }

  @Post('portal')
  @Endpoint({
    summary: "Open the payment provider's page on which cards are managed",
    access: 'session',
    response: openPortalResponse,
    status: 201,
    idempotent: true,
  })
  async portal(
    @CurrentPrincipal() { accountId }: Principal,
    @Body({ schema: openPortal }) body: z.output<typeof openPortal>,
  ) {
    const { email, name } = await this.accounts.get(accountId);
    const returnUrl = this.environment.SERVERY_URL + body.return_path;
    return { portal: await this.topUps.openPortal({ accountId, email, name, returnUrl }) };
  }

  @Get('recharge')
  @Endpoint({
    summary: 'Whether credit that runs low is recharged from the card',
    access: 'spend',
    response: rechargeResponse,
  })
  async recharge(@CurrentPrincipal() { accountId }: Principal) {
    return this.presentRecharge(accountId);
  }

  @Put('recharge')
  @Endpoint({
    summary: 'Have credit recharged from the card when it falls below a mark, or not any more',
    audit: 'account.change_recharge',
    access: 'session',
    response: rechargeResponse,
  })
  async changeRecharge(
    @CurrentPrincipal() { accountId }: Principal,
    @Body({ schema: putRecharge }) { recharge }: z.output<typeof putRecharge>,
  ) {
    const change = recharge && { belowMinor: recharge.below_minor, amountMinor: recharge.amount_minor };
    await runInTransaction(this.dataSource, async (manager) => {
      await ensureBooks(manager, accountId, this.environment.SERVERY_CURRENCY, this.clock.now());
      await setRecharge(manager, accountId, change);
    });
    return this.presentRecharge(accountId);
  }

  private async presentRecharge(accountId: number) {
    const { paying, recharge } = await payingOf(this.dataSource.manager, accountId);
    return {
      recharge: recharge && { below_minor: recharge.belowMinor, amount_minor: recharge.amountMinor },
      currency: this.environment.SERVERY_CURRENCY,
      paying: paying.by,
    };
  }
}
