import type { LabelSelector } from './label-selector.ts';
import { ListingError } from './listing.errors.ts';

export interface Sort {
  readonly field: string;
  readonly direction: 'asc' | 'desc';
}

/** What a client asks of a list: filters by wire name (any of the values), labels, order and page. */
export interface ListQuery {
  readonly filters: Readonly<Record<string, readonly string[]>>;
  readonly labelSelector?: LabelSelector;
  readonly sort: readonly Sort[];
  /** From 1. */
  readonly page: number;
  /** Of a client, 1 to 50. */
  readonly perPage: number;
}

/** One page of a list; `total` counts all pages. */
export interface Page<T> {
  readonly items: T[];
  readonly total: number;
}

/** Everything there is on the first page; for lists asked by our own code. */
export const firstPage: ListQuery = { filters: {}, sort: [], page: 1, perPage: Number.MAX_SAFE_INTEGER };

/**
 * Pages a short list that is already in memory. `fields` gives, by wire name, the values that filters and
 * sorting look at.
 * @throws ListingError `invalid_filter`, `invalid_sort` for a field that is not among `fields`.
 */
export function pageOfArray<T>(
  all: readonly T[],
  query: ListQuery,
  fields: Readonly<Record<string, (item: T) => string | number | null>>,
): Page<T> {
  const reader = (name: string, code: 'invalid_filter' | 'invalid_sort') => {
    const read = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (!read) throw unknownField(name, code, Object.keys(fields));
    return read;
  };
  const filters = Object.entries(query.filters).map(([name, values]) => {
    const read = reader(name, 'invalid_filter');
    return (item: T) => values.includes(String(read(item)));
  });
  const orders = query.sort.map((sort) => ({ read: reader(sort.field, 'invalid_sort'), sort }));
  const found = all.filter((item) => filters.every((matches) => matches(item)));
  const sorted = found.toSorted((a, b) => {
    for (const { read, sort } of orders) {
      const order = compare(read(a), read(b));
      if (order !== 0) return sort.direction === 'asc' ? order : -order;
    }
    return 0;
  });
  const start = (query.page - 1) * query.perPage;
  return { items: sorted.slice(start, start + query.perPage), total: found.length };
}

export function unknownField(
  name: string,
  code: 'invalid_filter' | 'invalid_sort',
  known: readonly string[],
): ListingError {
  const verb = code === 'invalid_sort' ? 'sort' : 'filter';
  const field = code === 'invalid_sort' ? 'sort' : name;
  return new ListingError(
    code,
    `cannot ${verb} by "${name}"; possible: ${known.join(', ') || 'nothing'}`,
    field,
  );
}

function compare(a: string | number | null, b: string | number | null): number {
  if (a === b) return 0;
  if (a === null) return 1;
  if (b === null) return -1;
  return a < b ? -1 : 1;
}
