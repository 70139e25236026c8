import type { EntityManager } from 'typeorm';
import { BillingError } from './billing.errors.ts';
import { ensureBooks, lockBooks } from './billing-accounts.ts';
import { grantCredit } from './credit.ts';
import { assertAmount } from './ledger.ts';

/** A code that gives an account credit, once. */
export interface PromotionCode {
  /** 3 to 40 capitals, digits and dashes. */
  readonly code: string;
  readonly amountMinor: number;
  readonly currency: string;
  /** For the customer: what the credit is for. */
  readonly note: string;
  readonly redeemUntil?: Date;
  /** The credit expires so many days after it was redeemed; never, when missing. */
  readonly validDays?: number;
  /** Accounts that may redeem it; any number, when missing. */
  readonly redemptions?: number;
}

const DAY_MILLISECONDS = 86_400_000;

/**
 * Makes a code known; one that is known stays as it is.
 * @returns false when it was known
 * @throws BillingError `amount_malformed`
 */
export async function createPromotionCode(
  manager: EntityManager,
  promotion: PromotionCode,
): Promise<boolean> {
  assertAmount(promotion.amountMinor);
  const made = await manager.query<unknown[]>(
    `INSERT INTO promotion_codes (code, amount_minor, currency, note, redeem_until, valid_days, redemptions_left)
     VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (code) DO NOTHING RETURNING code`,
    [
      promotion.code,
      promotion.amountMinor,
      promotion.currency,
      promotion.note,
      promotion.redeemUntil ?? null,
      promotion.validDays ?? null,
      promotion.redemptions ?? null,
    ],
  );
  return made.length > 0;
}

/**
 * Gives an account the credit of a code. Call it in a transaction.
 * @returns the credit in minor units
 * @throws BillingError `promotion_code_unknown`; `promotion_code_expired`, also when all its redemptions are taken;
 * `promotion_code_used` when the account has redeemed it before; `currency_differs`
 */
export async function redeemPromotionCode(
  manager: EntityManager,
  redemption: {
    readonly accountId: number;
    readonly code: string;
    readonly currency: string;
    readonly at: Date;
  },
): Promise<number> {
  const { accountId, currency, at } = redemption;
  const code = redemption.code.trim().toUpperCase();
  await ensureBooks(manager, accountId, currency, at);
  await lockBooks(manager, accountId, 'money', currency);
  const promotion = await takeRedemption(manager, code, accountId, at);
  const { validDays } = promotion;
  await grantCredit(manager, {
    ...promotion,
    accountId,
    at,
    source: 'promotion',
    cause: { kind: 'promotion', id: `${code}/${accountId}` },
    ...(validDays && { expiresAt: new Date(at.getTime() + validDays * DAY_MILLISECONDS) }),
  });
  return promotion.amountMinor;
}

type Row = Pick<PromotionCode, 'amountMinor' | 'currency' | 'note'> & {
  readonly redeemUntil: Date | null;
  readonly validDays: number | null;
  readonly redemptionsLeft: number | null;
};

async function takeRedemption(
  manager: EntityManager,
  code: string,
  accountId: number,
  at: Date,
): Promise<Row> {
  const [row] = await manager.query<Row[]>(
    `SELECT amount_minor AS "amountMinor", currency, note, redeem_until AS "redeemUntil", valid_days AS "validDays",
            redemptions_left AS "redemptionsLeft"
     FROM promotion_codes WHERE code = $1 FOR UPDATE`,
    [code],
  );
  if (!row) throw new BillingError('promotion_code_unknown', `there is no code ${code}`);
  const taken = await manager.query<unknown[]>(
    `INSERT INTO promotion_redemptions (code, account_id, redeemed_at) VALUES ($1, $2, $3)
     ON CONFLICT DO NOTHING RETURNING code`,
    [code, accountId, at],
  );
  if (taken.length === 0) {
    throw new BillingError('promotion_code_used', `the code ${code} was redeemed here before`);
  }
  if ((row.redeemUntil && row.redeemUntil <= at) || row.redemptionsLeft === 0) {
    throw new BillingError('promotion_code_expired', `the code ${code} cannot be redeemed any more`);
  }
  await manager.query('UPDATE promotion_codes SET redemptions_left = redemptions_left - 1 WHERE code = $1', [
    code,
  ]);
  return row;
}
