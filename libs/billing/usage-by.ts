import type { EntityManager } from 'typeorm';
import { DAY_SECONDS, dayStart, type EpochSecond, nextMonth, toDate, toEpochSecond } from './calendar.ts';
import type { Component } from './price-book.ts';
import { type Period, type Prices, worthBetween } from './rating.ts';
import { accountPlaces, type BilledSpan, loadPrices } from './span-stream.ts';

/** What one component of one server was used on one UTC day, or in one UTC month. */
export interface PlaceUsage {
  /** The day, or the first day of the month or of what was asked for of it. */
  readonly day: Date;
  readonly serverId: number;
  readonly serverName: string;
  readonly component: Component;
  readonly slot: string;
  readonly seconds: number;
  /** Net, exact. The days of a month sum to the worth of that month: a day above the cap is worth less. */
  readonly amountMicro: bigint;
}

/**
 * An account's usage by day or by month, server and component, in chunks, from the day of `from` until `until`. A moment
 * ahead takes it that what is open stays open.
 */
export async function* usageBy(
  step: 'day' | 'month',
  manager: EntityManager,
  accountId: number,
  { from, until }: { readonly from: Date; readonly until: Date },
): AsyncGenerator<PlaceUsage[]> {
  const prices = await loadPrices(manager);
  const end = toEpochSecond(until);
  for (let begin = dayStart(toEpochSecond(from)); begin < end; begin = nextMonth(begin)) {
    const period = { from: begin, until: Math.min(end, nextMonth(begin)) };
    const moments = step === 'day' ? daysOf(period) : [period.from, period.until];
    for await (const places of accountPlaces(manager, accountId, period)) {
      yield places.flatMap((spans) => usageOf(spans, prices, moments));
    }
  }
}

/** The beginnings of a period's days, and its end. */
function daysOf({ from, until }: Period): EpochSecond[] {
  const moments = [from];
  for (let day = dayStart(from) + DAY_SECONDS; day < until; day += DAY_SECONDS) moments.push(day);
  return [...moments, until];
}

function usageOf(
  spans: readonly BilledSpan[],
  prices: Prices,
  moments: readonly EpochSecond[],
): PlaceUsage[] {
  const [place] = spans;
  if (!place) return [];
  const { serverId, serverName, slot } = place;
  const component = place.component as Component;
  return worthBetween(spans, prices, moments).flatMap(({ seconds, amountMicro }, index) => {
    if (seconds === 0 && amountMicro === 0n) return [];
    const day = toDate(dayStart(moments[index] ?? 0));
    return [{ day, serverId, serverName, component, slot, seconds, amountMicro }];
  });
}
