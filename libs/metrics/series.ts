import type { Counted, Sample } from './counters.ts';

export type MetricType = 'cpu' | 'disk' | 'network';

/** A period and the resolution that it is asked for in. Moments are Unix times in seconds. */
export interface Window {
  readonly start: number;
  readonly end: number;
  readonly stepSeconds: number;
}

/** A value at the end of its step, which is a Unix time in seconds. */
export type Point = readonly [at: number, value: number];

/** Each series by the name that Hetzner gives it: what it counts, and how much of that is one in a second. */
const SERIES: Readonly<Record<MetricType, Readonly<Record<string, readonly [Counted, number]>>>> = {
  // Milliseconds of CPU in a second of time, in per cent of one vCPU.
  cpu: { cpu: ['cpuMilliseconds', 10] },
  disk: {
    'disk.0.iops.read': ['diskReads', 1],
    'disk.0.iops.write': ['diskWrites', 1],
    'disk.0.bandwidth.read': ['diskReadBytes', 1],
    'disk.0.bandwidth.write': ['diskWrittenBytes', 1],
  },
  network: {
    'network.0.pps.in': ['packetsIn', 1],
    'network.0.pps.out': ['packetsOut', 1],
    'network.0.bandwidth.in': ['bytesIn', 1],
    'network.0.bandwidth.out': ['bytesOut', 1],
  },
};

const MOST_POINTS = 500;
const USUAL_POINTS = 200;
/** Nothing is sampled more often. */
export const SAMPLE_SECONDS = 60;

/** A step that gives 200 points at most, or the one that is asked for, made longer where that gave more than 500. */
export function stepFor(seconds: number, asked?: number): number {
  if (asked !== undefined) return Math.max(asked, Math.ceil(seconds / MOST_POINTS), 1);
  return Math.max(Math.ceil(seconds / USUAL_POINTS), SAMPLE_SECONDS);
}

/**
 * The series of some types. A step's value is the mean of what is known of its time; a step of which nothing is known, for
 * the server was off or nobody looked, is left out.
 * @param samples in any order; those that reach into the window suffice
 */
export function seriesOf(
  samples: readonly Sample[],
  types: readonly MetricType[],
  window: Window,
): Readonly<Record<string, readonly Point[]>> {
  const steps = stepsOf(samples, window);
  const all = types.flatMap((type) => Object.entries(SERIES[type]));
  return Object.fromEntries(
    all.map(([name, [counter, share]]) => [
      name,
      steps.map(({ at, parts }): Point => [at, meanOf(parts, counter) / share]),
    ]),
  );
}

interface Part {
  readonly sample: Sample;
  readonly milliseconds: number;
}

interface Step {
  readonly at: number;
  readonly parts: readonly Part[];
}

/** The steps of which something is known, with the samples that reach into each. */
function stepsOf(samples: readonly Sample[], { start, end, stepSeconds }: Window): Step[] {
  const count = Math.max(1, Math.ceil((end - start) / stepSeconds));
  const parts = Array.from({ length: count }, (): Part[] => []);
  const stepMilliseconds = stepSeconds * 1000;
  for (const sample of samples) {
    const from = sample.until - sample.milliseconds - start * 1000;
    const until = Math.min(sample.until, end * 1000) - start * 1000;
    for (
      let index = Math.max(0, Math.floor(from / stepMilliseconds));
      index * stepMilliseconds < until;
      index++
    ) {
      const overlap =
        Math.min(until, (index + 1) * stepMilliseconds) - Math.max(from, index * stepMilliseconds);
      if (overlap > 0) parts[index]?.push({ sample, milliseconds: overlap });
    }
  }
  return parts.flatMap((found, index) =>
    found.length === 0 ? [] : [{ at: Math.min(start + (index + 1) * stepSeconds, end), parts: found }],
  );
}

/** In a second. */
function meanOf(parts: readonly Part[], counter: Counted): number {
  const known = parts.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  const used = parts.reduce(
    (sum, { sample, milliseconds }) => sum + (sample[counter] * milliseconds) / sample.milliseconds,
    0,
  );
  return (used * 1000) / known;
}
