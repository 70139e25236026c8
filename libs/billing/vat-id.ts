import { BillingError } from './billing.errors.ts';

/** What follows the prefix, by country: the formats that the European Commission's VIES publishes. */
const FORMATS: Readonly<Record<string, RegExp>> = {
  AT: /^U\d{8}$/,
  BE: /^[01]\d{9}$/,
  BG: /^\d{9,10}$/,
  CY: /^\d{8}[A-Z]$/,
  CZ: /^\d{8,10}$/,
  DE: /^\d{9}$/,
  DK: /^\d{8}$/,
  EE: /^\d{9}$/,
  ES: /^[0-9A-Z]\d{7}[0-9A-Z]$/,
  FI: /^\d{8}$/,
  FR: /^[0-9A-HJ-NP-Z]{2}\d{9}$/,
  GR: /^\d{9}$/,
  HR: /^\d{11}$/,
  HU: /^\d{8}$/,
  IE: /^(\d[0-9A-Z+*]\d{5}[A-W]|\d{7}[A-W][A-I]?)$/,
  IT: /^\d{11}$/,
  LT: /^(\d{9}|\d{12})$/,
  LU: /^\d{8}$/,
  LV: /^\d{11}$/,
  MT: /^\d{8}$/,
  NL: /^[0-9A-Z+*]{12}$/,
  PL: /^\d{10}$/,
  PT: /^\d{9}$/,
  RO: /^\d{2,10}$/,
  SE: /^\d{12}$/,
  SI: /^\d{8}$/,
  SK: /^\d{10}$/,
};

/** Whether a country belongs to the VAT area of the European Union. */
export function isInEuropeanUnion(country: string): boolean {
  return Object.hasOwn(FORMATS, country);
}

/** Greece writes its VAT ids with EL. */
function prefixOf(country: string): string {
  return country === 'GR' ? 'EL' : country;
}

/**
 * A VAT id as it is stored: without blanks, dots and dashes. The format is checked, not whether it is registered.
 * @throws BillingError `vat_id_malformed` when it is not one of `country`
 */
export function parseVatId(text: string, country: string): string {
  const vatId = text.replace(/[\s.-]/g, '').toUpperCase();
  const prefix = prefixOf(country);
  const format = FORMATS[country] ?? /^[0-9A-Z]{2,13}$/;
  if (vatId.startsWith(prefix) && format.test(vatId.slice(prefix.length))) return vatId;
  const message = `this is not a VAT id of ${country}: it begins with ${prefix} and has the form of that country`;
  throw new BillingError('vat_id_malformed', message, { fields: [{ name: 'vat_id', messages: [message] }] });
}
