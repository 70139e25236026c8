import type { EntityManager } from 'typeorm';
import { BillingError } from './billing.errors.ts';

/** A code as the operator sees it: what it gives, and how far it has come. */
export interface PromotionCampaign {
  readonly code: string;
  readonly amountMinor: number;
  readonly currency: string;
  readonly note: string;
  readonly createdAt: Date;
  readonly redeemUntil: Date | null;
  readonly validDays: number | null;
  /** Accounts that have redeemed it, and that still may; null: any number. */
  readonly redeemed: number;
  readonly redemptionsLeft: number | null;
}

/** Those that were made, the newest first. */
export function promotionCampaigns(
  manager: EntityManager,
  asked: { readonly limit: number; readonly offset?: number; readonly code?: string },
): Promise<PromotionCampaign[]> {
  return manager.query<PromotionCampaign[]>(
    `SELECT p.code, p.amount_minor AS "amountMinor", p.currency, p.note, p.created_at AS "createdAt",
            p.redeem_until AS "redeemUntil", p.valid_days AS "validDays", p.redemptions_left AS "redemptionsLeft",
            (SELECT count(*) FROM promotion_redemptions r WHERE r.code = p.code) AS redeemed
     FROM promotion_codes p WHERE $1::text IS NULL OR p.code = $1
     ORDER BY p.created_at DESC, p.code LIMIT $2 OFFSET $3`,
    [asked.code ?? null, asked.limit, asked.offset ?? 0],
  );
}

export async function countPromotionCampaigns(manager: EntityManager): Promise<number> {
  const [row] = await manager.query<{ count: number }[]>('SELECT count(*) AS count FROM promotion_codes');
  return row?.count ?? 0;
}

/** @throws BillingError `promotion_code_unknown` */
export async function promotionCampaign(manager: EntityManager, code: string): Promise<PromotionCampaign> {
  const [found] = await promotionCampaigns(manager, { code, limit: 1 });
  if (found) return found;
  throw new BillingError('promotion_code_unknown', `there is no code ${code}`);
}

/**
 * Lets nobody redeem a code from a moment on; who has redeemed it keeps the credit. One that has ended stays as it is.
 * @throws BillingError `promotion_code_unknown`
 */
export async function endPromotion(
  manager: EntityManager,
  ended: { readonly code: string; readonly at: Date },
): Promise<PromotionCampaign> {
  await manager.query('UPDATE promotion_codes SET redeem_until = least(redeem_until, $2) WHERE code = $1', [
    ended.code,
    ended.at,
  ]);
  return promotionCampaign(manager, ended.code);
}
