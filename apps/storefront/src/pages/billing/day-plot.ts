import type { UsageKind, UsageWire } from '#libs/contracts';

/** What a plot tells apart; the rest of what is used costs little. */
export const SERIES = ['compute', 'disk', 'other'] as const;
export type Series = (typeof SERIES)[number];

export interface PlotDay {
  /** `2026-11-22` */
  readonly day: string;
  readonly total: number;
  readonly of: Readonly<Record<Series, number>>;
}

const seriesOf = (kind: UsageKind | null): Series => (kind === 'compute' || kind === 'disk' ? kind : 'other');

/** Every day of the month of a moment, in the currency's major unit; days without usage are 0. */
export function plotDays(usage: readonly UsageWire[], month: string): PlotDay[] {
  return daysOf(month).map((day) => {
    const of = { compute: 0, disk: 0, other: 0 };
    for (const one of usage) if (one.day === day) of[seriesOf(one.kind)] += Number(one.net);
    return { day, of, total: of.compute + of.disk + of.other };
  });
}

function daysOf(month: string): string[] {
  const [year = 0, number = 1] = month.split('-').map(Number);
  const count = new Date(Date.UTC(year, number, 0)).getUTCDate();
  return Array.from({ length: count }, (_, index) => `${month}-${String(index + 1).padStart(2, '0')}`);
}

/** A round number that is at least so much, and round when it is halved. */
export function roundUp(value: number): number {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  const step = [1, 2, 3, 4, 5, 6, 8, 10].find((one) => one * power >= value) ?? 10;
  return step * power;
}
