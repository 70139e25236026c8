import { Body, Controller, Get, Inject, Param, Post, Put, Query } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { z } from 'zod';
import { AccountsService } from '#libs/accounts';
import {
  accountOverviews,
  BillingError,
  ensureBooks,
  grantCredit,
  openAmountMinor,
  openArrears,
  payingOf,
  setPaying,
  setTier,
} from '#libs/billing';
import { ENVIRONMENT, type Environment } from '#libs/config';
import * as contracts from '#libs/contracts';
import { runInTransaction } from '#libs/database';
import type { Clock } from '#libs/kernel';
import { MONEY_CLOCK } from '#libs/payments';
import { Audited, type AuditTrail } from '../audit/audit-trail.ts';
import { Endpoint } from '../http/endpoint.ts';
import { metaOf, toListQuery } from '../http/list-query.ts';
import { ResourceId } from '../idempotency/idempotency.interceptor.ts';
import { presentArrears, presentCustomer } from './books.presenter.ts';

type ById = z.output<typeof contracts.byId>;

/** Accounts as the books have them: how they stand, how they pay, and credit that the operator gives. */
@Controller('v1/books')
export class CustomersController {
  constructor(
    private readonly dataSource: DataSource,
    private readonly accounts: AccountsService,
    @Inject(ENVIRONMENT) private readonly environment: Environment,
    @Inject(MONEY_CLOCK) private readonly clock: Clock,
  ) {}

  @Get('customers')
  @Endpoint({
    summary: 'Accounts with their balances; who owes most comes first',
    access: 'operator',
    response: contracts.customerListResponse,
  })
  async list(
    @Query({ schema: contracts.customerListQuery }) parsed: z.output<typeof contracts.customerListQuery>,
  ) {
    const { search, overdue, page, per_page } = parsed;
    const query = toListQuery({ page, per_page });
    const found = await accountOverviews(this.dataSource.manager, {
      ...(search !== undefined && { search }),
      ...(overdue !== undefined && { overdue: overdue === 'true' }),
      now: this.clock.now(),
      limit: query.perPage,
      offset: (query.page - 1) * query.perPage,
    });
    return { customers: found.items.map(presentCustomer), meta: metaOf(query, found) };
  }

  @Get('customers/:id')
  @Endpoint({
    summary: 'An account with its balances and how it pays',
    access: 'operator',
    response: contracts.customerResponse,
  })
  async get(@Param({ schema: contracts.byId }) { id }: ById) {
    return { customer: await this.details(id) };
  }

  @Put('customers/:id')
  @Endpoint({
    summary: 'Trust an account more or less, or let it pay in another way',
    audit: 'customer.update',
    access: 'operator',
    response: contracts.customerResponse,
  })
  async update(
    @Param({ schema: contracts.byId }) { id }: ById,
    @Audited() audit: AuditTrail,
    @Body({ schema: contracts.updateCustomer }) { tier, paying }: z.output<typeof contracts.updateCustomer>,
  ) {
    const before = await this.details(id);
    await runInTransaction(this.dataSource, async (manager) => {
      await audit.write(manager, id, {
        ...(tier !== undefined && { tier_from: before.tier, tier }),
        ...(paying !== undefined && { paying_from: before.paying, paying: paying.by }),
        ...(paying?.by === 'terms' && { terms_days_from: before.terms_days, terms_days: paying.days }),
      });
      if (tier !== undefined) await setTier(manager, id, tier);
      if (paying !== undefined) await setPaying(manager, id, paying);
    });
    return { customer: await this.details(id) };
  }

  @Post('customers/:id/credits')
  @Endpoint({
    summary: 'Give an account credit',
    audit: 'credit_grant.create',
    access: 'operator',
    response: contracts.grantCreditResponse,
    status: 201,
    idempotent: true,
  })
  async grant(
    @Param({ schema: contracts.byId }) { id: accountId }: ById,
    @ResourceId() id: number,
    @Audited() audit: AuditTrail,
    @Body({ schema: contracts.grantCredit }) body: z.output<typeof contracts.grantCredit>,
  ) {
    await this.accounts.get(accountId);
    const currency = this.environment.SERVERY_CURRENCY;
    const at = this.clock.now();
    await runInTransaction(this.dataSource, async (manager) => {
      await ensureBooks(manager, accountId, currency, at);
      const { amount_minor, note, expires = null } = body;
      await audit.write(manager, id, { account_id: accountId, amount_minor, currency, note, expires });
      await grantCredit(manager, {
        accountId,
        currency,
        amountMinor: body.amount_minor,
        at,
        cause: { kind: 'credit_grant', id: String(id) },
        source: 'grant',
        note: body.note,
        ...(body.expires !== undefined && { expiresAt: new Date(body.expires) }),
      });
    });
    return { credit_grant: { id, amount_minor: body.amount_minor, currency } };
  }

  @Get('arrears')
  @Endpoint({
    summary: 'Accounts that have not paid, and how far the ladder has come with them; the oldest first',
    access: 'operator',
    response: contracts.arrearsListResponse,
  })
  async arrears(
    @Query({ schema: contracts.arrearsListQuery }) parsed: z.output<typeof contracts.arrearsListQuery>,
  ) {
    const query = toListQuery(parsed);
    const { manager } = this.dataSource;
    const items = await openArrears(manager, {
      limit: query.perPage,
      offset: (query.page - 1) * query.perPage,
    });
    const presented = await Promise.all(
      items.map(async (one) => presentArrears(one, await this.overview(one.accountId))),
    );
    const [counted] = await manager.query<{ total: number }[]>(
      'SELECT count(*) AS total FROM arrears WHERE closed_at IS NULL',
    );
    return { arrears: presented, meta: metaOf(query, { items, total: counted?.total ?? 0 }) };
  }

  private async details(id: number) {
    const { manager } = this.dataSource;
    const overview = await this.overview(id);
    const { paying } = await payingOf(manager, id);
    return {
      ...presentCustomer(overview),
      paying: paying.by,
      terms_days: paying.by === 'terms' ? paying.days : null,
      unbilled_minor: await openAmountMinor(manager, id, this.clock.now()),
    };
  }

  /** @throws BillingError `billing_account_not_found` */
  private async overview(accountId: number) {
    const page = { now: this.clock.now(), limit: 1, offset: 0 };
    const { items } = await accountOverviews(this.dataSource.manager, { accountId, ...page });
    const [overview] = items;
    if (overview) return overview;
    throw new BillingError('billing_account_not_found', `account ${accountId} has no books yet`);
  }
}
