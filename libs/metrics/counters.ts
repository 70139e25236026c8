/** What is counted of a server, by the name that its columns have. */
export const COUNTED = [
  'cpuMilliseconds',
  'diskReads',
  'diskWrites',
  'diskReadBytes',
  'diskWrittenBytes',
  'packetsIn',
  'packetsOut',
  'bytesIn',
  'bytesOut',
] as const;

export type Counted = (typeof COUNTED)[number];
export type Counters = Readonly<Record<Counted, number>>;

/** Counters at a moment. */
export interface Reading extends Counters {
  readonly serverId: number;
  /** Unix time in milliseconds. */
  readonly at: number;
}

/** How much was used in so long, until a moment. */
export interface Sample extends Counters {
  readonly serverId: number;
  /** Unix time in milliseconds. */
  readonly until: number;
  readonly milliseconds: number;
}

/** A server that was not looked at for longer may have been off meanwhile: nothing is said of that time. */
export const MOST_GAP_MILLISECONDS = 300_000;

/**
 * What a server has used between two readings; undefined where the former is too old to say, or not before the other. A
 * start in between, which shows in any counter that went back, has all counters begin at nothing.
 */
export function usedBetween(former: Reading, now: Reading): Sample | undefined {
  const milliseconds = now.at - former.at;
  if (milliseconds <= 0 || milliseconds > MOST_GAP_MILLISECONDS) return undefined;
  const hasStarted = COUNTED.some((counter) => now[counter] < former[counter]);
  const used = mapCounters((counter) => now[counter] - (hasStarted ? 0 : former[counter]));
  return { serverId: now.serverId, until: now.at, milliseconds, ...used };
}

export function mapCounters(value: (counter: Counted) => number): Counters {
  return Object.fromEntries(COUNTED.map((counter) => [counter, value(counter)])) as Record<Counted, number>;
}

/** `diskReads` as SQL has it: `disk_reads`. */
export function columnOf(counter: Counted): string {
  return counter.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
