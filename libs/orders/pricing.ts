import type { ServerType } from '#libs/catalog';

/** What an order costs, and what is held for it. */
export interface OrderPrice {
  readonly priceHourlyMicro: number;
  readonly priceMonthlyMinor: number;
  /** The first month's cap for accounts that pay by card and have not paid an invoice yet; else 0. */
  readonly holdAmountMinor: number;
}

export function priceOf(type: ServerType, isHeld: boolean): OrderPrice {
  const { priceHourlyMicro, priceMonthlyMinor } = type;
  return { priceHourlyMicro, priceMonthlyMinor, holdAmountMinor: isHeld ? priceMonthlyMinor : 0 };
}
