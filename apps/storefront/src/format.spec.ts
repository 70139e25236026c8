import { describe, expect, it } from 'vitest';
import {
  asSentence,
  formatBytes,
  formatDuration,
  formatElapsed,
  formatGb,
  formatHourly,
  formatMinor,
  formatPrice,
} from './format.ts';

describe('what people read', () => {
  it.each([
    ['0.0060000000', '€0.006'],
    ['0.0100000000', '€0.010'],
    ['1.2345678900', '€1.23457'],
  ])('a price by the hour of %s is %s', (decimal, text) => {
    expect(formatHourly(decimal, 'EUR')).toBe(text);
  });

  it('a monthly price has the digits of its currency', () => {
    expect(formatPrice('3.5000000000', 'EUR')).toBe('€3.50');
    expect(formatPrice('350.0000000000', 'JPY')).toBe('¥350');
  });

  it.each([
    [700 * 1024 ** 2, '700 MB'],
    [1.5 * 1024 ** 3, '1.5 GB'],
  ])('a file of %s bytes is %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });

  it('an amount in minor units knows how many digits its currency has', () => {
    expect(formatMinor(350, 'EUR')).toBe('€3.50');
    expect(formatMinor(350, 'JPY')).toBe('¥350');
  });

  it.each([
    [0.5, '512 MB'],
    [1, '1 GB'],
    [16, '16 GB'],
  ])('%d GB is %s', (gigabytes, text) => {
    expect(formatGb(gigabytes)).toBe(text);
  });

  it.each([
    [-5, '0:00'],
    [7_400, '0:07'],
    [102_000, '1:42'],
    [3_723_000, '1:02:03'],
  ])('%d ms on a clock are %s', (elapsedMs, text) => {
    expect(formatElapsed(elapsedMs)).toBe(text);
  });

  it.each([
    [-1, '0.0 s'],
    [412, '0.4 s'],
    [12_300, '12 s'],
    [65_000, '1 min 5 s'],
  ])('%d ms of work took %s', (durationMs, text) => {
    expect(formatDuration(durationMs)).toBe(text);
  });

  it.each([
    ['a payment has failed: pay it', 'A payment has failed: pay it.'],
    ['Add a card, then order again.', 'Add a card, then order again.'],
    ['web-1 is locked', 'web-1 is locked.'],
  ])('the API’s "%s" is the sentence "%s"', (message, sentence) => {
    expect(asSentence(message)).toBe(sentence);
  });
});
