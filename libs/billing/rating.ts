import { type EpochSecond, HOUR_SECONDS, monthStart } from './calendar.ts';
import { divideHalfEven } from './exact.ts';

/** What is used for a moment is billed for a minute, unless something else of its place is billed for that time. */
export const MINIMUM_SECONDS = 60;
/** A month costs 28 days at most. */
export const CAPPED_SECONDS = 672 * HOUR_SECONDS;
const MICRO_PER_MINOR = 1_000_000n;
const HOUR = BigInt(HOUR_SECONDS);

/** A span of usage. Those of one server, component and slot do not overlap. */
export interface SpanTime {
  readonly id: number;
  readonly item: string;
  readonly quantity: number;
  readonly opened: EpochSecond;
  /** Null while it is open. */
  readonly closed: EpochSecond | null;
}

/** The price of an item from a moment on, until its next one. */
export interface PriceStep {
  readonly from: EpochSecond;
  readonly hourlyMicro: number;
}

/** The prices of every item, each one's oldest first. */
export type Prices = ReadonlyMap<string, readonly PriceStep[]>;

/** Time of a span at one price, within one month. */
export interface Charge {
  readonly span: SpanTime;
  readonly from: EpochSecond;
  readonly until: EpochSecond;
  readonly seconds: number;
  /** Those of them that are paid: less than all above the month's cap. */
  readonly billedSeconds: number;
  /** Of one unit. */
  readonly hourlyMicro: number;
  /** Exact to the micro-unit: what the time is worth. */
  readonly amountMicro: bigint;
  /** Rounded once from the exact worth, half to even. */
  readonly amountMinor: bigint;
}

/** Within one month. */
export interface Period {
  readonly from: EpochSecond;
  readonly until: EpochSecond;
}

interface Stretch {
  readonly span: SpanTime;
  readonly price: PriceStep;
  readonly from: EpochSecond;
  readonly until: EpochSecond;
}

/**
 * What the spans of one server, component and slot cost in a period that lies in one month: what they cost from the
 * month's start to the period's end, less what they cost to its start. So a month that is billed in parts costs the
 * same as one that is billed whole, to the minor unit, and the cap is that of the month.
 * @param spans in the order of their opening; those that reach into the month, even by the minimum, are all there
 * @throws RangeError when an item has no price at a time that it was used
 */
export function chargesOf(spans: readonly SpanTime[], prices: Prices, period: Period): Charge[] {
  const start = monthStart(period.from);
  const whole = worthOf(spans, prices, { from: start, until: period.until });
  if (period.from === start) return whole;
  const before = new Map(
    worthOf(spans, prices, { from: start, until: period.from }).map((charge) => [keyOf(charge), charge]),
  );
  return whole.map((charge) => remainder(charge, before.get(keyOf(charge)))).filter(isCharge);
}

/** What the use of a place comes to. */
export interface Worth {
  readonly seconds: number;
  readonly amountMicro: bigint;
}

/**
 * What the spans of one place cost between each two of some moments of one month: what `chargesOf` of each of those
 * periods sums to, without looking at the month anew for each.
 * @param moments in their order, the month's end at most
 */
export function worthBetween(
  spans: readonly SpanTime[],
  prices: Prices,
  moments: readonly EpochSecond[],
): Worth[] {
  const [first = 0, last = first] = [moments[0], moments.at(-1)];
  const stretches = stretchesOf(spans, prices, { from: monthStart(first), until: last }).sort(dearestFirst);
  const until = moments.map((moment) => worthUntil(stretches, moment));
  return until.slice(1).map((worth, index) => {
    const before = until[index] ?? { seconds: 0, amountMicro: 0n };
    return { seconds: worth.seconds - before.seconds, amountMicro: worth.amountMicro - before.amountMicro };
  });
}

/** @param stretches the dearest first */
function worthUntil(stretches: readonly Stretch[], moment: EpochSecond): Worth {
  let left = CAPPED_SECONDS;
  let seconds = 0;
  let amountMicro = 0n;
  for (const stretch of stretches) {
    const used = Math.min(stretch.until, moment) - stretch.from;
    if (used <= 0) continue;
    const billed = Math.min(left, used);
    left -= billed;
    seconds += used;
    amountMicro += divideHalfEven(worthOfSeconds(stretch, billed), HOUR);
  }
  return { seconds, amountMicro };
}

/**
 * What a month costs until a moment of it. Of the seconds of a month, the dearest 672 hours are paid: so no change of
 * size makes a month dearer than 672 hours of the larger one, or gives hours of the larger one for nothing.
 */
function worthOf(spans: readonly SpanTime[], prices: Prices, period: Period): Charge[] {
  const stretches = stretchesOf(spans, prices, period);
  let left = CAPPED_SECONDS;
  const paid = new Map<Stretch, number>();
  for (const stretch of stretches.toSorted(dearestFirst)) {
    const seconds = Math.min(left, stretch.until - stretch.from);
    paid.set(stretch, seconds);
    left -= seconds;
  }
  return stretches.map((stretch) => charge(stretch, paid.get(stretch) ?? 0));
}

/** The billed time of a period, in the pieces that its prices cut it into. */
function stretchesOf(spans: readonly SpanTime[], prices: Prices, period: Period): Stretch[] {
  return spans.flatMap((span, index) => {
    const end = endOf(span, spans[index + 1]?.opened ?? Number.POSITIVE_INFINITY);
    const from = Math.max(span.opened, period.from);
    const until = Math.min(end, period.until);
    return until > from ? atPrices(span, prices.get(span.item) ?? [], from, until) : [];
  });
}

function endOf({ opened, closed }: SpanTime, nextOpened: EpochSecond): EpochSecond {
  if (closed === null) return Number.POSITIVE_INFINITY;
  return Math.max(closed, Math.min(opened + MINIMUM_SECONDS, nextOpened));
}

function atPrices(
  span: SpanTime,
  steps: readonly PriceStep[],
  from: EpochSecond,
  until: EpochSecond,
): Stretch[] {
  const [first] = steps;
  if (!first || first.from > from) throw new RangeError(`${span.item} had no price when it was used`);
  return steps.flatMap((price, index) => {
    const begin = Math.max(from, price.from);
    const end = Math.min(until, steps[index + 1]?.from ?? Number.POSITIVE_INFINITY);
    return end > begin ? [{ span, price, from: begin, until: end }] : [];
  });
}

function rateOf({ span, price }: Stretch): number {
  return price.hourlyMicro * span.quantity;
}

function dearestFirst(a: Stretch, b: Stretch): number {
  return rateOf(b) - rateOf(a) || a.from - b.from;
}

/** In micro-units times seconds. */
function worthOfSeconds({ span, price }: Stretch, seconds: number): bigint {
  return BigInt(price.hourlyMicro) * BigInt(span.quantity) * BigInt(seconds);
}

function charge(stretch: Stretch, billedSeconds: number): Charge {
  const { span, price, from, until } = stretch;
  const worth = worthOfSeconds(stretch, billedSeconds);
  return {
    span,
    from,
    until,
    seconds: until - from,
    billedSeconds,
    hourlyMicro: price.hourlyMicro,
    amountMicro: divideHalfEven(worth, HOUR),
    amountMinor: divideHalfEven(worth, HOUR * MICRO_PER_MINOR),
  };
}

/** A span begins at most one stretch at a second, whatever the end of the period. */
function keyOf({ span, from }: Charge): string {
  return `${span.id}/${from}`;
}

function remainder(whole: Charge, before: Charge | undefined): Charge {
  if (!before) return whole;
  const seconds = whole.seconds - before.seconds;
  return {
    ...whole,
    // With no time added, what changed is that dearer time has pushed this above the cap.
    from: seconds > 0 ? before.until : whole.from,
    seconds,
    billedSeconds: whole.billedSeconds - before.billedSeconds,
    amountMicro: whole.amountMicro - before.amountMicro,
    amountMinor: whole.amountMinor - before.amountMinor,
  };
}

function isCharge({ seconds, billedSeconds, amountMicro }: Charge): boolean {
  return seconds !== 0 || billedSeconds !== 0 || amountMicro !== 0n;
}
