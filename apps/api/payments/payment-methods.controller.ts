import { Body, Controller, Delete, Get, Inject, Param, Post } from '@nestjs/common';
import type { z } from 'zod';
import { AccountsService } from '#libs/accounts';
import { ENVIRONMENT, type Environment } from '#libs/config';
import {
  byId,
  bySetupId,
  createPaymentSetup,
  createPaymentSetupResponse,
  type PaymentMethodWire,
  paymentMethodListResponse,
  paymentSetupResponse,
} from '#libs/contracts';
import { CardsService, type SavedCard } from '#libs/payments';
import { CurrentPrincipal, type Principal } from '../auth/principal.ts';
import { Endpoint } from '../http/endpoint.ts';
import { wireTime } from '../http/wire.ts';

const wireStatus = { open: 'open', completed: 'complete', expired: 'expired' } as const;

@Controller('v1/payment_methods')
export class PaymentMethodsController {
  constructor(
    private readonly cards: CardsService,
    private readonly accounts: AccountsService,
    @Inject(ENVIRONMENT) private readonly environment: Environment,
  ) {}

  @Get()
  @Endpoint({ summary: 'List your cards', access: 'session', response: paymentMethodListResponse })
  async list(@CurrentPrincipal() { accountId }: Principal) {
    return { payment_methods: (await this.cards.list(accountId)).map(presentCard) };
  }

  @Post('setups')
  @Endpoint({
    summary: 'Open a page of the payment provider that takes a card',
    access: 'session',
    response: createPaymentSetupResponse,
    status: 201,
    idempotent: true,
  })
  async openSetup(
    @CurrentPrincipal() { accountId }: Principal,
    @Body({ schema: createPaymentSetup }) body: z.output<typeof createPaymentSetup>,
  ) {
    const { email, name } = await this.accounts.get(accountId);
    const back = this.environment.SERVERY_URL + body.return_path;
    const separator = back.includes('?') ? '&' : '?';
    const { setupId, url } = await this.cards.openSetup({
      accountId,
      email,
      name,
      currency: this.environment.SERVERY_CURRENCY,
      successUrl: `${back}${separator}setup={SETUP_ID}`,
      cancelUrl: `${back}${separator}cancelled=1`,
    });
    return { setup: { id: setupId, url } };
  }

  @Get('setups/:id')
  @Endpoint({
    summary: 'How the setup of a card stands; asks the payment provider',
    access: 'session',
    response: paymentSetupResponse,
  })
  async getSetup(
    @CurrentPrincipal() { accountId }: Principal,
    @Param({ schema: bySetupId }) { id }: z.output<typeof bySetupId>,
  ) {
    const status = await this.cards.setupStatus(accountId, id);
    return { setup: { id, status: wireStatus[status] } };
  }

  @Delete(':id')
  @Endpoint({ summary: 'Forget a card', audit: 'payment_method.delete', access: 'session' })
  async remove(
    @CurrentPrincipal() { accountId }: Principal,
    @Param({ schema: byId }) { id }: z.output<typeof byId>,
  ) {
    await this.cards.remove(accountId, id);
  }
}

function presentCard(card: SavedCard): PaymentMethodWire {
  return {
    id: card.id,
    brand: card.brand,
    last4: card.last4,
    exp_month: card.expiryMonth,
    exp_year: card.expiryYear,
    is_default: card.isDefault,
    created: wireTime(card.createdAt),
  };
}
