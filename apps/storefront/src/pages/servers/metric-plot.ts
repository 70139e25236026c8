import type { MetricsWire } from '#libs/contracts';

export const WIDTH = 300;
export const HEIGHT = 100;

/** A series as numbers: when, in Unix seconds, and how much. */
export type Points = readonly (readonly [at: number, value: number])[];

export function pointsOf(metrics: MetricsWire, series: string): Points {
  return (metrics.time_series[series]?.values ?? []).map(([at, value]) => [Number(at), Number(value)]);
}

/** The next larger 1, 2 or 5 times a power of ten, so that an axis has round numbers. */
export function roundUp(value: number): number {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  const factor = [1, 2, 5, 10].find((one) => value <= one * power) ?? 10;
  return factor * power;
}

/** An SVG path over WIDTH and HEIGHT; it is broken where more than one step is missing. */
export function pathOf(points: Points, metrics: MetricsWire, top: number): string {
  const start = Date.parse(metrics.start) / 1000;
  const seconds = Date.parse(metrics.end) / 1000 - start;
  return points
    .map(([at, value], index) => {
      const former = points[index - 1]?.[0];
      const isBroken = former === undefined || at - former > 1.5 * metrics.step;
      const [x, y] = [((at - start) / seconds) * WIDTH, HEIGHT - (Math.min(value, top) / top) * HEIGHT];
      return `${isBroken ? 'M' : 'L'}${x.toFixed(1)} ${y.toFixed(1)}`;
    })
    .join('');
}
