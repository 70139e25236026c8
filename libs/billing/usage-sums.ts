import type { EntityManager } from 'typeorm';
import type { Component } from './price-book.ts';
import { type PlaceUsage, usageBy } from './usage-by.ts';

/** What usage is told apart by. */
export type UsageKey = 'server' | 'day' | 'kind';

/** Usage of a day, a server and a kind, or of all of those by which it is not told apart. */
export interface UsageSum {
  readonly day: Date | null;
  readonly server: { readonly id: number; readonly name: string } | null;
  readonly component: Component | null;
  /** Of one kind; time of several kinds does not add up to anything. */
  seconds: number;
  /** Net, exact. All sums of a time add up to the worth of that time. */
  amountMicro: bigint;
}

/**
 * An account's usage from the day of `from` until `until`, summed by what `by` names: by day, and within a day the
 * dearest first. Memory holds the sums alone.
 */
export async function usageSums(
  manager: EntityManager,
  accountId: number,
  period: { readonly from: Date; readonly until: Date },
  by: ReadonlySet<UsageKey>,
): Promise<UsageSum[]> {
  const sums = new Map<string, UsageSum>();
  const step = by.has('day') ? 'day' : 'month';
  for await (const chunk of usageBy(step, manager, accountId, period)) {
    for (const usage of chunk) {
      const sum = sums.get(keyOf(usage, by)) ?? emptySum(usage, by);
      sum.seconds += usage.seconds;
      sum.amountMicro += usage.amountMicro;
      sums.set(keyOf(usage, by), sum);
    }
  }
  return [...sums.values()].sort(byDayThenWorth);
}

function keyOf({ day, serverId, component }: PlaceUsage, by: ReadonlySet<UsageKey>): string {
  return [by.has('day') && day.getTime(), by.has('server') && serverId, by.has('kind') && component].join(
    '/',
  );
}

function emptySum(usage: PlaceUsage, by: ReadonlySet<UsageKey>): UsageSum {
  return {
    day: by.has('day') ? usage.day : null,
    server: by.has('server') ? { id: usage.serverId, name: usage.serverName } : null,
    component: by.has('kind') ? usage.component : null,
    seconds: 0,
    amountMicro: 0n,
  };
}

function byDayThenWorth(a: UsageSum, b: UsageSum): number {
  const days = (a.day?.getTime() ?? 0) - (b.day?.getTime() ?? 0);
  if (days !== 0) return days;
  if (a.amountMicro !== b.amountMicro) return a.amountMicro < b.amountMicro ? 1 : -1;
  return (a.server?.id ?? 0) - (b.server?.id ?? 0);
}
