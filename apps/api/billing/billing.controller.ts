import { Body, Controller, Get, Inject, Post, Put, Query } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { z } from 'zod';
import {
  accountBalance,
  arrearsOf,
  billingProfile,
  countCreditLots,
  creditLots,
  monthForecast,
  monthSpending,
  redeemPromotionCode,
  setBillingProfile,
  usageSums,
} from '#libs/billing';
import { ENVIRONMENT, type Environment } from '#libs/config';
import * as contracts from '#libs/contracts';
import { runInTransaction } from '#libs/database';
import { type Clock, formatMicro } from '#libs/kernel';
import { pageOfArray } from '#libs/listing';
import { MONEY_CLOCK } from '#libs/payments';
import { CurrentPrincipal, type Principal } from '../auth/principal.ts';
import { Endpoint } from '../http/endpoint.ts';
import { metaOf, toListQuery } from '../http/list-query.ts';
import { wireTime, wireTimeOrNull } from '../http/wire.ts';
import { presentCredit, presentForecast, presentProfile, presentUsage } from './billing.presenter.ts';
import { usagePeriod } from './usage-period.ts';

/** What the account has used, has, owes and will owe, and whom it is invoiced to. */
@Controller('v1/billing')
export class BillingController {
  constructor(
    private readonly dataSource: DataSource,
    @Inject(ENVIRONMENT) private readonly environment: Environment,
    @Inject(MONEY_CLOCK) private readonly clock: Clock,
  ) {}

  @Get('usage')
  @Endpoint({
    summary: 'What was used, by server, day and kind, exact before any rounding',
    access: 'spend',
    response: contracts.usageResponse,
  })
  async usage(
    @CurrentPrincipal() { accountId }: Principal,
    @Query({ schema: contracts.usageQuery }) parsed: z.output<typeof contracts.usageQuery>,
  ) {
    const { from, until, by, ...paging } = parsed;
    const period = usagePeriod({ from, until }, this.clock.now());
    const keys = new Set(by ?? (['server'] as const));
    const sums = await usageSums(this.dataSource.manager, accountId, period, keys);
    const query = toListQuery(paging);
    const page = pageOfArray(sums, query, {});
    return {
      usage: page.items.map((sum) => presentUsage(sum, keys)),
      currency: await this.currencyOf(accountId),
      from: wireTime(period.from),
      until: wireTime(period.until),
      net: formatMicro(sums.reduce((total, { amountMicro }) => total + amountMicro, 0n)),
      meta: metaOf(query, page),
    };
  }

  @Get('balance')
  @Endpoint({
    summary: 'What is owed, what is paid in, and what is used and not invoiced yet',
    access: 'spend',
    response: contracts.balanceResponse,
  })
  async balance(@CurrentPrincipal() { accountId }: Principal) {
    const { manager } = this.dataSource;
    const stands = await accountBalance(manager, accountId, this.clock.now());
    const arrears = await arrearsOf(manager, accountId);
    return {
      balance: {
        currency: stands.currency ?? this.environment.SERVERY_CURRENCY,
        open_minor: stands.openMinor,
        overdue_minor: stands.overdueMinor,
        credit_minor: stands.creditMinor,
        unbilled_minor: stands.unbilledMinor,
        disputed_minor: stands.disputedMinor,
        refunds_minor: stands.refundsMinor,
        arrears: arrears
          ? { since: wireTime(arrears.since), step: arrears.step, next: wireTimeOrNull(arrears.nextAt) }
          : null,
      },
    };
  }

  @Get('forecast')
  @Endpoint({
    summary: 'What this month comes to if all that runs goes on',
    access: 'spend',
    response: contracts.forecastResponse,
  })
  async forecast(@CurrentPrincipal() { accountId }: Principal) {
    const { manager } = this.dataSource;
    const now = this.clock.now();
    const spent = await monthSpending(manager, accountId, now);
    const forecast = await monthForecast(manager, accountId, now);
    return { forecast: presentForecast(await this.currencyOf(accountId), spent, forecast) };
  }

  @Get('profile')
  @Endpoint({
    summary: 'Whom invoices are made out to',
    access: 'session',
    response: contracts.billingProfileResponse,
  })
  async profile(@CurrentPrincipal() { accountId }: Principal) {
    return { billing_profile: presentProfile(await billingProfile(this.dataSource.manager, accountId)) };
  }

  @Put('profile')
  @Endpoint({
    summary: 'Change whom the next invoices are made out to',
    audit: 'account.change_billing_profile',
    access: 'session',
    response: contracts.billingProfileResponse,
  })
  async changeProfile(
    @CurrentPrincipal() { accountId }: Principal,
    @Body({ schema: contracts.putBillingProfile }) body: z.output<typeof contracts.putBillingProfile>,
  ) {
    const { vat_id: vatId, ...rest } = body;
    const profile = await setBillingProfile(this.dataSource.manager, accountId, { ...rest, vatId });
    return { billing_profile: presentProfile(profile) };
  }

  @Get('credit')
  @Endpoint({
    summary: 'Credit that the account got, what is left of it and until when',
    access: 'spend',
    response: contracts.creditListResponse,
  })
  async credit(
    @CurrentPrincipal() { accountId }: Principal,
    @Query({ schema: contracts.creditListQuery }) parsed: z.output<typeof contracts.creditListQuery>,
  ) {
    const query = toListQuery(parsed);
    const { manager } = this.dataSource;
    const page = { limit: query.perPage, offset: (query.page - 1) * query.perPage };
    const items = await creditLots(manager, accountId, page);
    const total = await countCreditLots(manager, accountId);
    return { credits: items.map(presentCredit), meta: metaOf(query, { items, total }) };
  }

  @Post('promotion_codes')
  @Endpoint({
    summary: 'Redeem a promotion code for credit, once',
    audit: 'account.redeem_promotion_code',
    access: 'session',
    response: contracts.redeemPromotionCodeResponse,
    status: 201,
    idempotent: true,
  })
  async redeem(
    @CurrentPrincipal() { accountId }: Principal,
    @Body({ schema: contracts.redeemPromotionCode })
    { code }: z.output<typeof contracts.redeemPromotionCode>,
  ) {
    const currency = await this.currencyOf(accountId);
    const amountMinor = await runInTransaction(this.dataSource, (manager) =>
      redeemPromotionCode(manager, { accountId, code, currency, at: this.clock.now() }),
    );
    return { credit: { amount_minor: amountMinor, currency } };
  }

  private async currencyOf(accountId: number): Promise<string> {
    const [books] = await this.dataSource.query<{ currency: string }[]>(
      'SELECT currency FROM billing_accounts WHERE account_id = $1',
      [accountId],
    );
    return books?.currency ?? this.environment.SERVERY_CURRENCY;
  }
}
