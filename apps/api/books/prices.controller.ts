import { Body, Controller, Get, Inject, Post } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { z } from 'zod';
import { changePrice, type PriceItem, priceChangeDetail, priceVersions } from '#libs/billing';
import { ENVIRONMENT, type Environment } from '#libs/config';
import { changeBookedPrice, priceBookResponse } from '#libs/contracts';
import { runInTransaction } from '#libs/database';
import type { Clock } from '#libs/kernel';
import { MONEY_CLOCK } from '#libs/payments';
import { Audited, type AuditTrail } from '../audit/audit-trail.ts';
import { Endpoint } from '../http/endpoint.ts';
import { presentPrices } from './books.presenter.ts';

/** Decimals of the major unit down to millionths of the minor one. */
const DECIMALS = 8;

/** What things cost by the hour, and since when. */
@Controller('v1/books/prices')
export class PricesController {
  constructor(
    private readonly dataSource: DataSource,
    @Inject(ENVIRONMENT) private readonly environment: Environment,
    @Inject(MONEY_CLOCK) private readonly clock: Clock,
  ) {}

  @Get()
  @Endpoint({
    summary: 'Every price that was, is or will be',
    access: 'operator',
    response: priceBookResponse,
  })
  async list() {
    return this.book(this.clock.now());
  }

  @Post()
  @Endpoint({
    summary: 'Change a price from now or from a later moment on',
    audit: 'price.change',
    access: 'operator',
    response: priceBookResponse,
    status: 201,
    idempotent: true,
  })
  async change(
    @Audited() audit: AuditTrail,
    @Body({ schema: changeBookedPrice }) body: z.output<typeof changeBookedPrice>,
  ) {
    const now = this.clock.now();
    const change = {
      item: body.item as PriceItem,
      hourlyMicro: hourlyMicro(body.hourly),
      effectiveFrom: body.effective_from === undefined ? now : new Date(body.effective_from),
      now,
    };
    await runInTransaction(this.dataSource, async (manager) => {
      const fromMicro = await changePrice(manager, change);
      await audit.write(manager, change.item, priceChangeDetail({ ...change, fromMicro }));
    });
    return this.book(this.clock.now());
  }

  private async book(now: Date) {
    const versions = await priceVersions(this.dataSource.manager);
    return { prices: presentPrices(versions, now), currency: this.environment.SERVERY_CURRENCY };
  }
}

function hourlyMicro(decimal: string): number {
  const [whole = '', decimals = ''] = decimal.split('.');
  return Number(whole + decimals.padEnd(DECIMALS, '0'));
}
