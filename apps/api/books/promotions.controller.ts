import { Body, Controller, Get, Inject, Param, Post, Query } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { z } from 'zod';
import {
  BillingError,
  countPromotionCampaigns,
  createPromotionCode,
  endPromotion,
  promotionCampaign,
  promotionCampaigns,
  promotionDetail,
} from '#libs/billing';
import { ENVIRONMENT, type Environment } from '#libs/config';
import * as contracts from '#libs/contracts';
import { runInTransaction } from '#libs/database';
import type { Clock } from '#libs/kernel';
import { MONEY_CLOCK } from '#libs/payments';
import { Audited, type AuditTrail } from '../audit/audit-trail.ts';
import { Endpoint } from '../http/endpoint.ts';
import { metaOf, toListQuery } from '../http/list-query.ts';
import { presentPromotion } from './books.presenter.ts';

type ByCode = z.output<typeof contracts.byPromotionCode>;

/** Codes that customers turn into credit. */
@Controller('v1/books/promotions')
export class PromotionsController {
  constructor(
    private readonly dataSource: DataSource,
    @Inject(ENVIRONMENT) private readonly environment: Environment,
    @Inject(MONEY_CLOCK) private readonly clock: Clock,
  ) {}

  @Get()
  @Endpoint({
    summary: 'Promotion codes and how often they were redeemed, the newest first',
    access: 'operator',
    response: contracts.promotionListResponse,
  })
  async list(
    @Query({ schema: contracts.promotionListQuery }) parsed: z.output<typeof contracts.promotionListQuery>,
  ) {
    const query = toListQuery(parsed);
    const { manager } = this.dataSource;
    const page = { limit: query.perPage, offset: (query.page - 1) * query.perPage };
    const items = await promotionCampaigns(manager, page);
    const total = await countPromotionCampaigns(manager);
    const now = this.clock.now();
    return {
      promotions: items.map((one) => presentPromotion(one, now)),
      meta: metaOf(query, { items, total }),
    };
  }

  @Get(':code')
  @Endpoint({
    summary: 'A promotion code',
    access: 'operator',
    response: contracts.promotionResponse,
  })
  async get(@Param({ schema: contracts.byPromotionCode }) { code }: ByCode) {
    return {
      promotion: presentPromotion(await promotionCampaign(this.dataSource.manager, code), this.clock.now()),
    };
  }

  @Post()
  @Endpoint({
    summary: 'Make a promotion code',
    audit: 'promotion.create',
    access: 'operator',
    response: contracts.promotionResponse,
    status: 201,
    idempotent: true,
  })
  async create(
    @Audited() audit: AuditTrail,
    @Body({ schema: contracts.createPromotion }) body: z.output<typeof contracts.createPromotion>,
  ) {
    const { code, amount_minor: amountMinor, note, redeem_until, valid_days, redemptions } = body;
    const now = this.clock.now();
    const promotion = {
      code,
      amountMinor,
      note,
      currency: this.environment.SERVERY_CURRENCY,
      ...(redeem_until !== undefined && { redeemUntil: new Date(redeem_until) }),
      ...(valid_days !== undefined && { validDays: valid_days }),
      ...(redemptions !== undefined && { redemptions }),
    };
    const made = await runInTransaction(this.dataSource, async (manager) => {
      const isNew = await createPromotionCode(manager, promotion);
      if (!isNew)
        throw new BillingError('promotion_code_taken', `there is a code ${code} already; take another`);
      await audit.write(manager, code, promotionDetail(promotion));
      return promotionCampaign(manager, code);
    });
    return { promotion: presentPromotion(made, now) };
  }

  @Post(':code/actions/end')
  @Endpoint({
    summary: 'Let nobody redeem a code any more; credit that it gave stays',
    audit: 'promotion.end',
    access: 'operator',
    response: contracts.promotionResponse,
  })
  async end(@Param({ schema: contracts.byPromotionCode }) { code }: ByCode, @Audited() audit: AuditTrail) {
    const at = this.clock.now();
    const ended = await runInTransaction(this.dataSource, async (manager) => {
      const campaign = await endPromotion(manager, { code, at });
      await audit.write(manager, code, { redeemed: campaign.redeemed });
      return campaign;
    });
    return { promotion: presentPromotion(ended, at) };
  }
}
