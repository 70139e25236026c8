import type { DataSource } from 'typeorm';
import {
  changeBillingSettings,
  createPromotionCode,
  firstPrice,
  type PriceItem,
  setTaxRate,
} from '#libs/billing';

/** A leap year ahead of the machine's clock, which the emulator's leaves behind. */
export const START = Date.UTC(2032, 0, 1);
export const DAY = 86_400_000;

export const TYPES = ['s1', 's2', 's4', 's8'] as const;
export const IMAGES = ['debian', 'groupware'] as const;

/** What is sold, in millionths of a cent for an hour. Odd figures, so that roundings have something to do. */
export const FIRST_PRICES: Readonly<Record<PriceItem, number>> = {
  'compute/s1': 500_003,
  'disk/s1': 125_001,
  'compute/s2': 1_000_007,
  'disk/s2': 250_013,
  'compute/s4': 2_100_000,
  'disk/s4': 499_999,
  'compute/s8': 4_333_333,
  'disk/s8': 1_000_001,
  'image/groupware': 777_777,
  'snapshot/gib': 1_371,
};

interface TaxRate {
  readonly country: string;
  readonly from: number;
  readonly basisPoints: number;
}

export const SELLER_COUNTRY = 'DE';
export const TAX_RATES: readonly TaxRate[] = [
  { country: 'DE', from: 0, basisPoints: 1900 },
  { country: 'FR', from: 0, basisPoints: 2000 },
  { country: 'DE', from: START + 182 * DAY, basisPoints: 1650 },
];

/** Where customers live, and their VAT ids. */
export const RESIDENCES = [
  { country: 'DE', vatId: null },
  { country: 'DE', vatId: 'DE123456789' },
  { country: 'FR', vatId: null },
  { country: 'FR', vatId: 'FR40303265045' },
  { country: 'US', vatId: null },
  { country: null, vatId: null },
] as const;

export const CODES = ['SPRING', 'SUMMER', 'AUTUMN'] as const;
export const CODE_MINOR = 1234;

/** Prices, taxes, promotion codes and the seller. */
export async function openShop({ manager }: DataSource): Promise<void> {
  for (const [item, hourlyMicro] of Object.entries(FIRST_PRICES) as [PriceItem, number][]) {
    await firstPrice(manager, { item, title: item, hourlyMicro });
  }
  for (const { from, ...rate } of TAX_RATES) {
    await setTaxRate(manager, { ...rate, effectiveFrom: new Date(from) });
  }
  await changeBillingSettings(manager, { seller: { name: 'Servery', country: SELLER_COUNTRY } });
  for (const code of CODES) {
    const given = { code, amountMinor: CODE_MINOR, currency: 'eur', note: 'Welcome' };
    await createPromotionCode(manager, { ...given, validDays: 45 });
  }
}
