import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { COUNTED, MOST_GAP_MILLISECONDS, mapCounters, type Sample, usedBetween } from './counters.ts';
import { seriesOf, stepFor } from './series.ts';

const reading = (at: number, value: number) => ({ serverId: 1, at, ...mapCounters(() => value) });
const sample = (until: number, seconds: number, value: number): Sample => ({
  ...{ serverId: 1, until: until * 1000, milliseconds: seconds * 1000 },
  ...mapCounters(() => value),
});

describe('what is used between two readings', () => {
  it('is what the counters have grown by', () => {
    expect(usedBetween(reading(1000, 7), reading(61_000, 10))).toEqual(sample(61, 60, 3));
  });

  it('is what was counted since a start, which any counter shows', () => {
    const now = { ...reading(61_000, 9), diskReads: 2 };
    expect(usedBetween(reading(1000, 7), now)).toMatchObject({ diskReads: 2, bytesIn: 9 });
  });

  it('is not known after a gap, or backwards', () => {
    expect(usedBetween(reading(0, 1), reading(MOST_GAP_MILLISECONDS + 1, 2))).toBeUndefined();
    expect(usedBetween(reading(5, 1), reading(5, 2))).toBeUndefined();
  });

  it('is never less than nothing', () => {
    const counter = fc.nat();
    fc.assert(
      fc.property(fc.array(counter, { minLength: 18, maxLength: 18 }), (values) => {
        const [former, now] = [values.slice(0, 9), values.slice(9)].map((some, index) => ({
          ...{ serverId: 1, at: index },
          ...mapCounters((one) => some[COUNTED.indexOf(one)] ?? 0),
        }));
        const used = former && now && usedBetween(former, now);
        expect(COUNTED.every((one) => (used?.[one] ?? -1) >= 0)).toBe(true);
      }),
    );
  });
});

describe('a series', () => {
  it('has the mean of each step, in the units of its name', () => {
    const samples = [sample(60, 60, 60), sample(120, 60, 120)];
    const window = { start: 0, end: 120, stepSeconds: 60 };
    const { cpu, ...network } = seriesOf(samples, ['cpu', 'network'], window);
    // 60 ms of CPU in 60 s are a tenth of a per cent.
    expect(cpu).toEqual([
      [60, 0.1],
      [120, 0.2],
    ]);
    expect(Object.keys(network)).toHaveLength(4);
    expect(network['network.0.bandwidth.in']).toEqual([
      [60, 1],
      [120, 2],
    ]);
    const whole = seriesOf(samples, ['cpu'], { ...window, stepSeconds: 120 });
    expect(whole.cpu?.[0]?.[1]).toBeCloseTo(0.15);
  });

  it('leaves out what is not known, and takes of a sample what lies in the window', () => {
    const samples = [sample(30, 60, 60), sample(300, 60, 120)];
    const { cpu } = seriesOf(samples, ['cpu'], { start: 0, end: 300, stepSeconds: 60 });
    expect(cpu?.map(([at]) => at)).toEqual([60, 300]);
    expect(seriesOf([], ['cpu'], { start: 0, end: 300, stepSeconds: 60 })).toEqual({ cpu: [] });
  });

  it('says the same in all, whatever its step', () => {
    const seconds = fc.integer({ min: 1, max: 300 });
    const used = fc.array(fc.record({ seconds, value: fc.nat(1000) }), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(used, fc.integer({ min: 1, max: 700 }), (parts, stepSeconds) => {
        let until = 0;
        const samples = parts.map((part) => {
          until += part.seconds;
          return sample(until, part.seconds, part.value);
        });
        const series = seriesOf(samples, ['disk'], { start: 0, end: until, stepSeconds });
        const points = series['disk.0.iops.read'] ?? [];
        const sum = points.reduce(
          (all, [at, value], index) => all + value * (at - (points[index - 1]?.[0] ?? 0)),
          0,
        );
        const total = parts.reduce((all, { value }) => all + value, 0);
        expect(sum).toBeCloseTo(total, 3);
      }),
    );
  });

  it('has 200 points where nothing else is asked, and never more than 500', () => {
    expect([stepFor(1800), stepFor(30 * 86_400)]).toEqual([60, 12_960]);
    expect([stepFor(1800, 600), stepFor(86_400, 1)]).toEqual([600, 173]);
  });
});
