import { describe, expect, it } from 'vitest';
import { amountText, parseAmount, sumExact } from './money.ts';

describe('an amount in a field', () => {
  it.each([
    ['12', 1200],
    [' 12.5 ', 1250],
    ['12,50', 1250],
    ['0.07', 7],
    ['1234567.89', 123_456_789],
  ])('%s is %i minor units', (text, amountMinor) => {
    expect(parseAmount(text)).toBe(amountMinor);
  });

  it.each(['', 'ten', '-1', '1.234', '1e3', '12.', '12345678'])('%s is none', (text) => {
    expect(parseAmount(text)).toBeUndefined();
  });

  it('comes back as it was', () => {
    for (const amountMinor of [1, 10, 99, 100, 101, 29_999, 123_456_789]) {
      expect(parseAmount(amountText(amountMinor))).toBe(amountMinor);
    }
  });
});

describe('exact decimals', () => {
  it('are summed without losing a digit', () => {
    expect(sumExact(['0.1000000000', '0.2000000000'])).toBe('0.3000000000');
    expect(sumExact(['90071992547409.9200000001', '0.0000000001'])).toBe('90071992547409.9200000002');
    expect(sumExact(['-1.50', '0.25'])).toBe('-1.25');
    expect(sumExact([])).toBe('0');
  });
});
