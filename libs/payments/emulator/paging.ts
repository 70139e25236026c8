import type { Kind, Kinds } from './kinds.ts';
import type { World } from './world.ts';

export interface PageParams {
  readonly limit?: number | undefined;
  readonly starting_after?: string | undefined;
  readonly ending_before?: string | undefined;
}

type Range =
  | number
  | {
      gt?: number | undefined;
      gte?: number | undefined;
      lt?: number | undefined;
      lte?: number | undefined;
    };

/** A page of a kind in Stripe's way: newest first, from a cursor. */
export function listPage<K extends Kind>(
  world: World,
  kind: K,
  url: string,
  params: PageParams,
  isWanted: (object: Kinds[K]) => boolean,
) {
  for (const param of ['starting_after', 'ending_before'] as const) {
    const cursor = params[param];
    if (cursor !== undefined) world.find(kind, cursor, param);
  }
  return pageOf(world.store.all(kind).filter(isWanted).reverse(), url, params);
}

/** A page of what is in the order in which it is shown. */
export function pageOf<T extends { id: string }>(all: readonly T[], url: string, params: PageParams) {
  const indexOf = (id: string) => all.findIndex((object) => object.id === id);
  const limit = params.limit ?? 10;
  if (params.ending_before !== undefined) {
    const end = Math.max(indexOf(params.ending_before), 0);
    const start = Math.max(end - limit, 0);
    return { object: 'list', url, data: all.slice(start, end), has_more: start > 0 };
  }
  const start = params.starting_after === undefined ? 0 : indexOf(params.starting_after) + 1;
  const data = all.slice(start, start + limit);
  return { object: 'list', url, data, has_more: start + limit < all.length };
}

/** Whether a moment lies in Stripe's `created` filter. */
export function isWithin(seconds: number, range: Range | undefined): boolean {
  if (range === undefined) return true;
  if (typeof range === 'number') return seconds === range;
  return (
    (range.gt === undefined || seconds > range.gt) &&
    (range.gte === undefined || seconds >= range.gte) &&
    (range.lt === undefined || seconds < range.lt) &&
    (range.lte === undefined || seconds <= range.lte)
  );
}

/** Stripe's way to change metadata: keys are merged, an empty value removes its key, an empty text removes all. */
export function mergeMetadata(
  old: Readonly<Record<string, string>> | null,
  change: Readonly<Record<string, string>> | '' | undefined,
): Record<string, string> {
  if (change === '') return {};
  const merged = { ...old, ...change };
  return Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== ''));
}
