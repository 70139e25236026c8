import { expect, it } from 'vitest';
import { formatEntry } from './entry-amount.ts';

it.each([
  ['1250', 'minor', '12.50 EUR'],
  ['-7', 'minor', '-0.07 EUR'],
  ['1250000000', 'micro', '12.50 EUR'],
  ['-1', 'micro', '-0.00000001 EUR'],
  ['123456789012345678901', 'micro', '1234567890123.45678901 EUR'],
  ['0', 'minor', '0.00 EUR'],
] as const)('%s %s is %s', (amount, unit, text) => {
  expect(formatEntry({ amount, unit, currency: 'eur' })).toBe(text);
});
