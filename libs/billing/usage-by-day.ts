import type { EntityManager } from 'typeorm';
import { DAY_SECONDS, dayStart, nextMonth, toDate, toEpochSecond } from './calendar.ts';
import type { Component } from './price-book.ts';
import { chargesOf, type Period, type Prices } from './rating.ts';
import { accountPlaces, type BilledSpan, loadPrices } from './span-stream.ts';

/** What one component of one server was used on one UTC day. */
export interface DayUsage {
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
 * An account's usage by day, server and component, in chunks, from the day of `from` until `until`. A moment ahead takes
 * it that what is open stays open.
 */
export async function* usageByDay(
  manager: EntityManager,
  accountId: number,
  { from, until }: { readonly from: Date; readonly until: Date },
): AsyncGenerator<DayUsage[]> {
  const prices = await loadPrices(manager);
  const end = toEpochSecond(until);
  for (let begin = dayStart(toEpochSecond(from)); begin < end; begin = nextMonth(begin)) {
    const period = { from: begin, until: Math.min(end, nextMonth(begin)) };
    for await (const places of accountPlaces(manager, accountId, period)) {
      yield places.flatMap((spans) => daysOf(spans, prices, period));
    }
  }
}

function daysOf(spans: readonly BilledSpan[], prices: Prices, period: Period): DayUsage[] {
  const [place] = spans;
  if (!place) return [];
  const { serverId, serverName, slot } = place;
  const component = place.component as Component;
  const days: DayUsage[] = [];
  for (let from = period.from; from < period.until; from = dayStart(from) + DAY_SECONDS) {
    const until = Math.min(period.until, dayStart(from) + DAY_SECONDS);
    const charges = chargesOf(spans, prices, { from, until });
    const seconds = charges.reduce((sum, charge) => sum + charge.seconds, 0);
    const amountMicro = charges.reduce((sum, charge) => sum + charge.amountMicro, 0n);
    if (seconds === 0 && amountMicro === 0n) continue;
    days.push({ day: toDate(dayStart(from)), serverId, serverName, component, slot, seconds, amountMicro });
  }
  return days;
}
