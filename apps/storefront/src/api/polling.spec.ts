import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backOffMs } from './polling.ts';

const START = '2026-01-01T00:00:00Z';
const at = (elapsedMs: number) => Date.parse(START) + elapsedMs;

describe('asking again', () => {
  it('never gets quicker with time, and stays within its bounds', () => {
    const elapsed = fc.integer({ min: -10_000, max: 3_600_000 });
    fc.assert(
      fc.property(elapsed, fc.nat(600_000), (first, more) => {
        const [now, later] = [backOffMs(START, at(first)), backOffMs(START, at(first + more))];
        expect(now).toBeGreaterThanOrEqual(700);
        expect(later).toBeGreaterThanOrEqual(now);
        expect(later).toBeLessThanOrEqual(5_000);
      }),
    );
  });

  it('asks soon about what it does not know yet', () => {
    expect(backOffMs(undefined, at(0))).toBe(700);
  });
});
