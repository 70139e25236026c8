import type { EntityManager } from 'typeorm';
import { isUniqueViolation } from '#libs/database';
import { BillingError } from './billing.errors.ts';
import { divideHalfEven } from './exact.ts';
import type { Seller } from './settings.ts';
import { isInEuropeanUnion, parseVatId } from './vat-id.ts';

/** Whom invoices are made out to. Each invoice keeps what stood here when it was issued. */
export interface BillingProfile {
  readonly name: string;
  readonly address: string;
  /** ISO 3166-1 alpha-2, in capitals. */
  readonly country: string;
  readonly vatId: string | null;
}

/** `reverse_charge`: the customer owes the tax in their country. `none`: no rate is set for it. */
export type TaxTreatment = 'standard' | 'reverse_charge' | 'none';

export interface Tax {
  readonly treatment: TaxTreatment;
  readonly country: string | null;
  /** Hundredths of a percent: 1900 is 19 %. */
  readonly basisPoints: number;
}

/** @throws BillingError `country_malformed`, `vat_id_malformed` */
export async function setBillingProfile(
  manager: EntityManager,
  accountId: number,
  profile: BillingProfile,
): Promise<BillingProfile> {
  assertCountry(profile.country);
  const vatId = profile.vatId && parseVatId(profile.vatId, profile.country);
  await manager.query(
    `INSERT INTO billing_profiles (account_id, name, address, country, vat_id) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (account_id) DO UPDATE SET name = excluded.name, address = excluded.address,
       country = excluded.country, vat_id = excluded.vat_id`,
    [accountId, profile.name, profile.address, profile.country, vatId],
  );
  return { ...profile, vatId };
}

export async function billingProfile(
  manager: EntityManager,
  accountId: number,
): Promise<BillingProfile | undefined> {
  const [row] = await manager.query<BillingProfile[]>(
    'SELECT name, address, country, vat_id AS "vatId" FROM billing_profiles WHERE account_id = $1',
    [accountId],
  );
  return row;
}

/**
 * The tax of a country from a moment on; what was used in periods that ended before keeps theirs, also where it is
 * invoiced later.
 * @throws BillingError `country_malformed`, `tax_rate_taken` when that moment has a rate already
 */
export async function setTaxRate(manager: EntityManager, rate: TaxRate): Promise<void> {
  assertCountry(rate.country);
  try {
    await manager.query('INSERT INTO tax_rates (country, effective_from, basis_points) VALUES ($1, $2, $3)', [
      rate.country,
      rate.effectiveFrom,
      rate.basisPoints,
    ]);
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    throw new BillingError(
      'tax_rate_taken',
      `${rate.country} has a rate from that moment on; give another one`,
    );
  }
}

/** A country's tax from a moment on. */
export interface TaxRate {
  readonly country: string;
  readonly effectiveFrom: Date;
  readonly basisPoints: number;
}

export function taxRates(manager: EntityManager): Promise<TaxRate[]> {
  return manager.query<TaxRate[]>(
    `SELECT country, effective_from AS "effectiveFrom", basis_points AS "basisPoints" FROM tax_rates
     ORDER BY country, effective_from`,
  );
}

/**
 * What tax an invoice carries: that of the last moment of its period, not of the day on which it is issued, which is in
 * the next month. Supplies with successive statements of account are made when the period of each ends (article 64 of
 * the European VAT directive). A customer without a country is taken for one of the seller's.
 */
export async function taxOf(
  manager: EntityManager,
  seller: Seller,
  customer: BillingProfile | undefined,
  at: Date,
): Promise<Tax> {
  const country = customer?.country ?? seller.country ?? null;
  if (country === null) return { treatment: 'none', country, basisPoints: 0 };
  if (isReverseCharged(seller, customer)) return { treatment: 'reverse_charge', country, basisPoints: 0 };
  const [rate] = await manager.query<{ basisPoints: number }[]>(
    `SELECT basis_points AS "basisPoints" FROM tax_rates WHERE country = $1 AND effective_from <= $2
     ORDER BY effective_from DESC LIMIT 1`,
    [country, at],
  );
  if (!rate) return { treatment: 'none', country, basisPoints: 0 };
  return { treatment: 'standard', country, basisPoints: rate.basisPoints };
}

/** The tax on a net amount in minor units, half to even. */
export function taxMinor(netMinor: bigint, { basisPoints }: Pick<Tax, 'basisPoints'>): bigint {
  return divideHalfEven(netMinor * BigInt(basisPoints), 10_000n);
}

/** Between businesses of two countries of the European Union: article 196 of its VAT directive. */
function isReverseCharged(seller: Seller, customer: BillingProfile | undefined): boolean {
  if (!customer?.vatId || seller.country === undefined || seller.country === customer.country) return false;
  return isInEuropeanUnion(seller.country) && isInEuropeanUnion(customer.country);
}

function assertCountry(country: string): void {
  if (/^[A-Z]{2}$/.test(country)) return;
  const message = 'a country is written as two capital letters of ISO 3166-1, such as DE';
  throw new BillingError('country_malformed', message, {
    fields: [{ name: 'country', messages: [message] }],
  });
}
