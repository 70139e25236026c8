import { Body, Controller, Headers, Post } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { z } from 'zod';
import { ProviderEvents } from '#libs/payments';
import { Endpoint } from '../http/endpoint.ts';

const rawBody = z.instanceof(Buffer, { error: 'must be the event as it was signed' });

@Controller('v1/webhooks')
export class WebhooksController {
  constructor(private readonly events: ProviderEvents) {}

  /** Verified and stored; what it means is worked out by a worker. */
  @Post('stripe')
  @RouteConfig({ rawBody: true })
  @Endpoint({
    summary: "Stripe's events",
    access: 'public',
    response: z.object({ received: z.literal(true) }),
  })
  async stripe(
    @Body({ schema: rawBody }) body: Buffer,
    @Headers('stripe-signature') signature: string | undefined,
  ) {
    await this.events.receive(body, signature ?? '');
    return { received: true };
  }
}
