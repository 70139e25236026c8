import { Injectable } from '@nestjs/common';
import type { OrderWire, QuoteWire } from '#libs/contracts';
import type { Order, Quote } from '#libs/orders';
import { PaymentsService } from '#libs/payments';
import { wirePriceMicro, wirePriceMinor, wireTime, wireTimeOrNull } from '../http/wire.ts';

@Injectable()
export class OrderPresenter {
  constructor(private readonly payments: PaymentsService) {}

  async present(order: Order): Promise<OrderWire> {
    const hold = await this.payments.holdOf(order.id);
    const needsBank = hold?.status === 'requires_action';
    return {
      id: order.id,
      status: order.status,
      server_id: order.serverId,
      action_id: order.actionId,
      amount_minor: order.holdAmountMinor,
      currency: order.currency.toUpperCase(),
      payment: {
        hold: hold?.status ?? 'none',
        failure: hold?.failureCode ?? order.failureCode,
        authentication_url: needsBank ? hold.actionUrl : null,
      },
      created: wireTime(order.createdAt),
      finished: wireTimeOrNull(order.finishedAt),
    };
  }
}

export function presentQuote(quote: Quote, currency: string): QuoteWire {
  const { serverType, image, holdAmountMinor } = quote;
  return {
    server_type: { id: serverType.id, name: serverType.name },
    image: { id: image.id, name: image.name },
    currency,
    price_hourly: wirePriceMicro(quote.priceHourlyMicro),
    price_monthly: wirePriceMinor(quote.priceMonthlyMinor),
    hold:
      holdAmountMinor > 0
        ? {
            amount_minor: holdAmountMinor,
            currency,
            reason: 'The first month, until your first invoice is paid; taken only when the server is ready.',
          }
        : null,
    card_required: quote.cardRequired,
    in_stock: quote.inStock,
    allowed: quote.problems.length === 0,
    problems: quote.problems.map(({ code, message }) => ({ code, message })),
  };
}
