import { describe, expect, it } from 'vitest';
import { plotDays, roundUp } from './day-plot.ts';

const used = (day: string, kind: 'compute' | 'disk' | 'address', net: string) => {
  return { day, kind, net, server: null, seconds: 1 };
};

describe('the plot of a month', () => {
  it('has every day of the month, leap years included', () => {
    expect(plotDays([], '2028-02')).toHaveLength(29);
    expect(plotDays([], '2026-11').at(-1)?.day).toBe('2026-11-30');
  });

  it('sums the kinds of a day, those that cost little together', () => {
    const days = plotDays(
      [
        used('2026-11-02', 'compute', '1.50'),
        used('2026-11-02', 'disk', '0.25'),
        used('2026-11-02', 'address', '0.25'),
      ],
      '2026-11',
    );
    expect(days[1]).toEqual({ day: '2026-11-02', of: { compute: 1.5, disk: 0.25, other: 0.25 }, total: 2 });
    expect(days[0]?.total).toBe(0);
  });

  it.each([
    [0, 1],
    [0.0031, 0.004],
    [1, 1],
    [1.1, 2],
    [30, 30],
    [72, 80],
  ])('ends its axis for %d at %d', (value, top) => {
    expect(roundUp(value)).toBeCloseTo(top, 10);
  });
});
