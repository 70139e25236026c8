import { z } from 'zod';
import { id, idOrName, meta, pageQuery, price, several, sortQuery, timestamp } from './common.ts';

export const createQuote = z.strictObject({
  server_type: idOrName,
  image: idOrName,
  location: idOrName.optional(),
});

export const quote = z
  .object({
    server_type: z.object({ id, name: z.string() }),
    image: z.object({ id, name: z.string() }),
    currency: z.string(),
    price_hourly: price,
    price_monthly: price,
    /** What is held on the card when the order is placed. */
    hold: z.object({ amount_minor: z.int(), currency: z.string(), reason: z.string() }).nullable(),
    card_required: z.boolean(),
    in_stock: z.boolean(),
    /** Whether an order would be accepted now; `problems` says why not. */
    allowed: z.boolean(),
    problems: z.array(z.object({ code: z.string(), message: z.string() })),
  })
  .meta({ id: 'Quote' });

export const quoteResponse = z.object({ quote });

export const order = z
  .object({
    id,
    status: z.enum(['placed', 'fulfilled', 'failed', 'cancelled']),
    server_id: id,
    action_id: id,
    amount_minor: z.int(),
    currency: z.string(),
    payment: z.object({
      hold: z.enum([
        'none',
        'requested',
        'authorized',
        'captured',
        'cancelled',
        'declined',
        'requires_action',
      ]),
      failure: z.string().nullable(),
      /** Where the customer confirms the payment with their bank. */
      authentication_url: z.string().nullable(),
    }),
    created: timestamp,
    finished: timestamp.nullable(),
  })
  .meta({ id: 'Order' });

export const orderResponse = z.object({ order });
export const orderListResponse = z.object({ orders: z.array(order), meta });
export const orderListQuery = z.strictObject({
  status: several(z.enum(['placed', 'fulfilled', 'failed', 'cancelled'])).optional(),
  sort: sortQuery(['id', 'created']),
  ...pageQuery,
});

export type QuoteWire = z.output<typeof quote>;
export type OrderWire = z.output<typeof order>;
