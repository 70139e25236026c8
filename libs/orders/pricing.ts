import type { ServerType } from '#libs/catalog';

/** What an order costs, and what is held for it. */
export interface OrderPrice {
  readonly priceHourlyMicro: number;
  readonly priceMonthlyMinor: number;
  /** The first month's cap for accounts that have not paid an invoice yet; else 0. */
  readonly holdAmountMinor: number;
}

export function priceOf(type: ServerType, account: { readonly trusted: boolean }): OrderPrice {
  const { priceHourlyMicro, priceMonthlyMinor } = type;
  return { priceHourlyMicro, priceMonthlyMinor, holdAmountMinor: account.trusted ? 0 : priceMonthlyMinor };
}
