import { Inject, Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { AccountsService, EmailConfirmations } from '#libs/accounts';
import { assertBelowSpendingLimit } from '#libs/billing';
import { demandOf } from '#libs/catalog';
import { type Clock, DomainError } from '#libs/kernel';
import { MONEY_CLOCK, PaymentsService } from '#libs/payments';
import { fits } from '#libs/placement';
import { assertCanPay, needsHold } from './ability-to-pay.ts';
import { assertGoodStanding } from './good-standing.ts';
import { accountUsage, assertWithinLimits } from './limits.ts';
import { type Item, type ItemRequest, OrderItems } from './order-items.ts';
import { type OrderPrice, priceOf } from './pricing.ts';

export interface QuoteProblem {
  readonly code: string;
  readonly message: string;
}

/** What an order would cost and whether it would be taken now. Nothing is reserved. */
export interface Quote extends Item, OrderPrice {
  readonly inStock: boolean;
  readonly cardRequired: boolean;
  readonly problems: readonly QuoteProblem[];
}

@Injectable()
export class QuotesService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly items: OrderItems,
    private readonly accounts: AccountsService,
    private readonly payments: PaymentsService,
    private readonly confirmations: EmailConfirmations,
    @Inject(MONEY_CLOCK) private readonly clock: Clock,
  ) {}

  /** @throws DomainError when what is asked for is not in the catalog, or does not go together. */
  async quote(accountId: number, request: ItemRequest): Promise<Quote> {
    const item = await this.items.resolve(request);
    const account = await this.accounts.get(accountId);
    const { manager } = this.dataSource;
    const demand = demandOf(item.serverType);
    const [usage, inStock] = await Promise.all([
      accountUsage(manager, accountId),
      fits(manager, { ...demand, locationId: item.location.id, imageId: item.image.id }),
    ]);
    const address = await problemOf(() => this.confirmations.assertMayOrder(accountId));
    const payment = await problemOf(() =>
      assertCanPay(manager, this.payments, { accountId, at: this.clock.now() }),
    );
    const isCard = payment !== undefined && payment.code !== 'credit_exhausted';
    const limit = await problemOf(async () => assertWithinLimits(account, usage, demand));
    const standing = await problemOf(() => assertGoodStanding(manager, accountId));
    const spending = await problemOf(() => assertBelowSpendingLimit(manager, accountId, this.clock.now()));
    const stock = inStock
      ? undefined
      : { code: 'resource_unavailable', message: 'no host has room for this size now' };
    const problems = [standing, address, limit, spending, stock, payment].filter(
      (problem) => problem !== undefined,
    );
    return {
      ...item,
      ...priceOf(item.serverType, await needsHold(manager, account, accountId)),
      inStock,
      cardRequired: isCard,
      problems,
    };
  }
}

async function problemOf(check: () => Promise<unknown>): Promise<QuoteProblem | undefined> {
  try {
    await check();
    return undefined;
  } catch (error) {
    if (error instanceof DomainError) return { code: error.code, message: error.message };
    throw error;
  }
}
