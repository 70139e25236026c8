import { z } from 'zod';
import { id, timestamp } from './common.ts';

/** A setup keeps the id of the payment provider, which is text. */
export const bySetupId = z.object({ id: z.string().regex(/^\w{1,255}$/, { error: 'is not an id' }) });

export const paymentMethod = z
  .object({
    id,
    brand: z.string(),
    last4: z.string(),
    exp_month: z.int(),
    exp_year: z.int(),
    is_default: z.boolean(),
    created: timestamp,
  })
  .meta({ id: 'PaymentMethod' });

export const paymentMethodListResponse = z.object({ payment_methods: z.array(paymentMethod) });

/** `return_path` is a path of the storefront, where the payment page sends the customer back to. */
export const createPaymentSetup = z.strictObject({
  return_path: z
    .string()
    .max(512)
    .regex(/^\/(?![/\\])[\w\-./?=&%]*$/, { error: 'must be a path of this site, such as /cards/return' }),
});

export const createPaymentSetupResponse = z.object({ setup: z.object({ id: z.string(), url: z.string() }) });
export const paymentSetupResponse = z.object({
  setup: z.object({ id: z.string(), status: z.enum(['open', 'complete', 'expired', 'failed']) }),
});

export type PaymentMethodWire = z.output<typeof paymentMethod>;
