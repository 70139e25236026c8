import type { PriceWire } from '#libs/contracts';
import { formatMicro, MICRO_PER_MINOR } from '#libs/kernel';

const MIB_PER_GIB = 1024;

export function wireTime(date: Date): string {
  return date.toISOString();
}

export function wireTimeOrNull(date: Date | null | undefined): string | null {
  return date ? date.toISOString() : null;
}

/** An amount in millionths of the minor unit. There is no VAT yet. */
export function wirePriceMicro(amountMicro: number): PriceWire {
  const amount = formatMicro(amountMicro);
  return { net: amount, gross: amount };
}

export function wirePriceMinor(amountMinor: number): PriceWire {
  return wirePriceMicro(amountMinor * MICRO_PER_MINOR);
}

/** What costs nothing. */
export const freeOfCharge: PriceWire = wirePriceMicro(0);

export function mibToGib(mib: number): number {
  return mib / MIB_PER_GIB;
}
