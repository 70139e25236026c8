/** ISO 4217 code in lower case, as Stripe writes it. */
export type Currency = 'eur' | 'usd' | 'gbp' | 'chf';

/** An amount in the currency's minor unit (cents). Always an integer. */
export interface Money {
  readonly amountMinor: number;
  readonly currency: Currency;
}

/** Millionths of a minor unit: the grain in which usage accrues. */
export const MICRO_PER_MINOR = 1_000_000;

/** @throws RangeError when `amountMinor` is not a safe integer. */
export function money(amountMinor: number, currency: Currency): Money {
  if (!Number.isSafeInteger(amountMinor)) throw new RangeError(`not an integer amount: ${amountMinor}`);
  return { amountMinor, currency };
}

/** `123` cents → `"1.23"`. `digits` more decimals may be asked for hourly prices in micro-units. */
export function formatMinor(amountMinor: number): string {
  const sign = amountMinor < 0 ? '-' : '';
  const abs = Math.abs(amountMinor);
  return `${sign}${Math.trunc(abs / 100)}.${String(abs % 100).padStart(2, '0')}`;
}

/** Micro-units of a minor unit as a decimal of the major unit with 8 more digits: 1_040_000 → "0.0104000000". */
export function formatMicro(amountMicro: number | bigint): string {
  if (typeof amountMicro === 'number' && !Number.isSafeInteger(amountMicro)) {
    throw new RangeError(`not an integer amount: ${amountMicro}`);
  }
  const sign = amountMicro < 0 ? '-' : '';
  const digits = String(amountMicro).slice(sign.length).padStart(9, '0');
  return `${sign}${digits.slice(0, -8)}.${digits.slice(-8)}00`;
}
