import { z } from 'zod';
import { redeemPromotionCode } from './billing.ts';
import { displayName, meta, pageQuery, timestamp } from './common.ts';

const count = (what: string) =>
  z.int({ error: `must be a whole number of ${what}` }).min(1, { error: 'must be above zero' });

export const byPromotionCode = z.object({ code: redeemPromotionCode.shape.code });

/** A code that gives each account that redeems it the same credit, once. */
export const promotion = z
  .object({
    code: z.string(),
    amount_minor: z.int(),
    currency: z.string(),
    /** For the customer: what the credit is for. */
    note: z.string(),
    state: z.enum(['running', 'ended', 'used_up']),
    created: timestamp,
    /** Null: until it is ended. */
    redeem_until: timestamp.nullable(),
    /** Days from redeeming until what is left of the credit is taken back. Null: never. */
    valid_days: z.int().nullable(),
    /** Accounts that have redeemed it, and what it gave them. */
    redeemed: z.int(),
    given_minor: z.int(),
    /** Accounts that still may. Null: any number. */
    redemptions_left: z.int().nullable(),
  })
  .meta({ id: 'Promotion' });
export const promotionResponse = z.object({ promotion });
export const promotionListResponse = z.object({ promotions: z.array(promotion), meta });
export const promotionListQuery = z.strictObject({ ...pageQuery });

export const createPromotion = z.strictObject({
  code: redeemPromotionCode.shape.code,
  amount_minor: count('minor units').max(100_000_000, { error: 'is too much' }),
  note: displayName,
  redeem_until: timestamp.optional(),
  valid_days: count('days').max(3650, { error: 'must be 3650 at most' }).optional(),
  redemptions: count('accounts').max(1_000_000, { error: 'must be 1000000 at most' }).optional(),
});

export type PromotionWire = z.output<typeof promotion>;
