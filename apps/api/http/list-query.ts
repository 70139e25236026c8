import type { PaginationWire } from '#libs/contracts';
import { type ListQuery, type Page, parseLabelSelector, type Sort } from '#libs/listing';

/** A list's query string after its schema: paging, sort and labels, and filters by their wire names. */
export interface ParsedListQuery {
  readonly page: number;
  readonly per_page: number;
  readonly sort?: readonly string[] | undefined;
  readonly label_selector?: string | undefined;
  readonly [filter: string]: unknown;
}

/** @throws ListingError `invalid_label_selector` */
export function toListQuery(parsed: ParsedListQuery): ListQuery {
  const { page, per_page, sort = [], label_selector, ...rest } = parsed;
  const filters = Object.entries(rest)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => [name, [value].flat().map(String)]);
  return {
    filters: Object.fromEntries(filters),
    sort: sort.map(toSort),
    page,
    perPage: per_page,
    ...(label_selector === undefined ? {} : { labelSelector: parseLabelSelector(label_selector) }),
  };
}

export function metaOf(query: ListQuery, page: Page<unknown>): { pagination: PaginationWire } {
  const lastPage = Math.max(1, Math.ceil(page.total / query.perPage));
  return {
    pagination: {
      page: query.page,
      per_page: query.perPage,
      previous_page: query.page > 1 ? Math.min(query.page - 1, lastPage) : null,
      next_page: query.page < lastPage ? query.page + 1 : null,
      last_page: lastPage,
      total_entries: page.total,
    },
  };
}

function toSort(text: string): Sort {
  const [field = '', direction] = text.split(':');
  return { field, direction: direction === 'desc' ? 'desc' : 'asc' };
}
