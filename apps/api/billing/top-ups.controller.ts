import { Body, Controller, Inject, Post } from '@nestjs/common';
import type { z } from 'zod';
import { AccountsService } from '#libs/accounts';
import { ENVIRONMENT, type Environment } from '#libs/config';
import { createTopUp, createTopUpResponse, openPortal, openPortalResponse } from '#libs/contracts';
import { TopUpsService } from '#libs/payments';
import { CurrentPrincipal, type Principal } from '../auth/principal.ts';
import { Endpoint } from '../http/endpoint.ts';

/** The provider's pages: paying in, and the customer's cards. What they do is told by the provider's events. */
@Controller('v1/billing')
export class TopUpsController {
  constructor(
    private readonly topUps: TopUpsService,
    private readonly accounts: AccountsService,
    @Inject(ENVIRONMENT) private readonly environment: Environment,
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
}
