import { FIRST_PRICES } from './market.ts';
import type { PriceChange, ServerLife, UsageAct } from './record.ts';

/**
 * What usage is worth, reckoned again from what the simulation did and from what the price list promises, with none of
 * the books' own code: had from the next whole second after it was asked for until the last whole second before it was
 * given up; a minute at least, unless something else takes its place; the dearest 672 hours of a month.
 */
export interface Worth {
  seconds: bigint;
  billedSeconds: bigint;
  micro: bigint;
  minor: bigint;
}

/** Something that was had; seconds of Unix time, the last one not included. */
export interface Stint {
  readonly item: string;
  readonly quantity: bigint;
  readonly from: number;
  until: number;
}

const MINUTE = 60;
const CAP = 672n * 3600n;
const MICRO_PER_MINOR = 1_000_000n;

/** `<component> <slot>`: what a server has one of at a time. */
export type Place = string;

/** What a server had until the end of the year, by place, in order. */
export function stintsOf(server: ServerLife, yearEnd: number): Map<Place, Stint[]> {
  const had = new Had(yearEnd);
  for (const act of server.acts) had.take(act, server.image);
  return had.finished();
}

class Had {
  readonly #stints = new Map<Place, Stint[]>();
  readonly #open = new Map<Place, Stint>();
  #isRunning = false;
  #type = '';

  constructor(private readonly yearEnd: number) {}

  take(act: UsageAct, image: string): void {
    const next = Math.ceil(act.at / 1000);
    const last = Math.floor(act.at / 1000);
    switch (act.what) {
      case 'open':
        this.#isRunning = true;
        this.#type = act.type;
        this.#begin('disk ', `disk/${act.type}`, next);
        this.#begin('compute ', `compute/${act.type}`, next);
        if (`image/${image}` in FIRST_PRICES) this.#begin('image ', `image/${image}`, next);
        return;
      case 'resize':
        this.#type = act.type;
        this.#end('disk ', last);
        this.#begin('disk ', `disk/${act.type}`, last);
        if (!this.#isRunning) return;
        this.#end('compute ', last);
        this.#begin('compute ', `compute/${act.type}`, last);
        return;
      case 'stop':
        this.#isRunning = false;
        this.#end('compute ', last);
        return;
      case 'start':
        this.#isRunning = true;
        this.#begin('compute ', `compute/${this.#type}`, next);
        return;
      case 'keep':
        this.#begin(`snapshot ${act.slot}`, 'snapshot/gib', next, BigInt(act.gib));
        return;
      case 'drop':
        this.#end(`snapshot ${act.slot}`, last);
        return;
      case 'close':
        for (const place of [...this.#open.keys()]) this.#end(place, last);
    }
  }

  /** Everything ends with the year; what had ended within a minute is a minute long where it has the room. */
  finished(): Map<Place, Stint[]> {
    for (const stints of this.#stints.values()) {
      stints.forEach((stint, index) => {
        const room = stints[index + 1]?.from ?? Number.POSITIVE_INFINITY;
        stint.until = Math.min(Math.max(stint.until, Math.min(stint.from + MINUTE, room)), this.yearEnd);
      });
    }
    return this.#stints;
  }

  #begin(place: Place, item: string, from: number, quantity = 1n): void {
    const stint: Stint = { item, quantity, from, until: Number.POSITIVE_INFINITY };
    this.#open.set(place, stint);
    this.#stints.set(place, [...(this.#stints.get(place) ?? []), stint]);
  }

  #end(place: Place, until: number): void {
    const stint = this.#open.get(place);
    if (stint) stint.until = until;
    this.#open.delete(place);
  }
}

interface Piece {
  readonly from: number;
  readonly seconds: bigint;
  readonly hourlyMicro: bigint;
}

/** What the stints of one place are worth in each month of the year, by the month's number from 0. */
export function worthByMonth(
  stints: readonly Stint[],
  changes: readonly PriceChange[],
  months: number,
): Worth[] {
  return Array.from({ length: months }, (_, month) => {
    const begin = Date.UTC(2032, month) / 1000;
    const end = Date.UTC(2032, month + 1) / 1000;
    const pieces = stints.flatMap((stint) => piecesOf(stint, changes, begin, end));
    let left = CAP;
    const worth: Worth = { seconds: 0n, billedSeconds: 0n, micro: 0n, minor: 0n };
    for (const piece of pieces.sort(dearestFirst)) {
      const paid = piece.seconds < left ? piece.seconds : left;
      left -= paid;
      worth.seconds += piece.seconds;
      worth.billedSeconds += paid;
      worth.micro += halfEven(piece.hourlyMicro * paid, 3600n);
      worth.minor += halfEven(piece.hourlyMicro * paid, 3600n * MICRO_PER_MINOR);
    }
    return worth;
  });
}

function dearestFirst(a: Piece, b: Piece): number {
  if (a.hourlyMicro !== b.hourlyMicro) return a.hourlyMicro > b.hourlyMicro ? -1 : 1;
  return a.from - b.from;
}

/** A stint within a month, cut where its price changes. */
function piecesOf(stint: Stint, changes: readonly PriceChange[], begin: number, end: number): Piece[] {
  const from = Math.max(stint.from, begin);
  const until = Math.min(stint.until, end);
  if (until <= from) return [];
  const prices = pricesOf(stint.item, changes);
  return prices.flatMap(({ since, hourlyMicro }, index) => {
    const first = Math.max(from, since);
    const last = Math.min(until, prices[index + 1]?.since ?? Number.POSITIVE_INFINITY);
    if (last <= first) return [];
    return [
      { from: first, seconds: BigInt(last - first), hourlyMicro: BigInt(hourlyMicro) * stint.quantity },
    ];
  });
}

function pricesOf(item: string, changes: readonly PriceChange[]): { since: number; hourlyMicro: number }[] {
  const first = FIRST_PRICES[item as never] as number;
  const later = changes
    .filter((change) => change.item === item)
    .map(({ from, hourlyMicro }) => ({ since: from / 1000, hourlyMicro }))
    .sort((a, b) => a.since - b.since);
  return [{ since: Number.NEGATIVE_INFINITY, hourlyMicro: first }, ...later];
}

/** Half goes to the even neighbour. Of numbers that are not below zero. */
export function halfEven(numerator: bigint, denominator: bigint): bigint {
  const whole = numerator / denominator;
  const rest = 2n * (numerator - whole * denominator);
  const isUp = rest > denominator || (rest === denominator && whole % 2n === 1n);
  return isUp ? whole + 1n : whole;
}

/** The second in which the year of so many months ends. */
export function endOfYear(months: number): number {
  return Date.UTC(2032, months) / 1000;
}
