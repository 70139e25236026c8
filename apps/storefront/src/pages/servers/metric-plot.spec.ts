import { expect, it } from 'vitest';
import { pathOf, pointsOf, roundUp } from './metric-plot.ts';

const metrics = {
  start: '2026-01-01T00:00:00Z',
  end: '2026-01-01T00:05:00Z',
  step: 60,
  time_series: {
    cpu: {
      values: [60, 120, 240, 300].map((seconds) => [
        Date.parse('2026-01-01T00:00:00Z') / 1000 + seconds,
        String(seconds / 6),
      ]),
    },
  },
};

it('draws a line that is broken where nothing is known', () => {
  const points = pointsOf(metrics, 'cpu');
  expect(points.map(([, value]) => value)).toEqual([10, 20, 40, 50]);
  expect(pathOf(points, metrics, 50)).toBe('M60.0 80.0L120.0 60.0M240.0 20.0L300.0 0.0');
  expect(pointsOf(metrics, 'disk.0.iops.read')).toEqual([]);
});

it('rounds an axis up to a number that is easily read', () => {
  expect([0, 0.3, 1, 1.2, 3, 7, 99, 100, 1001].map(roundUp)).toEqual([
    ...[1, 0.5, 1, 2, 5, 10, 100, 100, 2000],
  ]);
});
