import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { imagePackagesResponse, productChangesResponse } from '#libs/contracts';
import { call } from './client.ts';
import { PER_PAGE } from './pages.ts';

/** Where the contents of something are asked for: a product of the catalog, or an image. */
export type ContentsPath = `/catalog/${string}` | `/images/${number}`;

/** The packages of something in which `search` is found, page by page. */
export function packagesQuery(path: ContentsPath, search: string) {
  return infiniteQueryOptions({
    queryKey: ['contents', path, 'packages', search],
    queryFn: ({ pageParam, signal }) => {
      const query = new URLSearchParams({ page: String(pageParam), per_page: String(PER_PAGE) });
      if (search !== '') query.set('search', search);
      return call(`${path}/packages?${query}`, imagePackagesResponse, { signal });
    },
    initialPageParam: 1,
    getNextPageParam: ({ meta }) => meta.pagination.next_page,
    staleTime: 60_000,
  });
}

/** In which packages a product differs from its former build. */
export function productChangesQuery(name: string) {
  return queryOptions({
    queryKey: ['contents', `/catalog/${name}`, 'changes'],
    queryFn: ({ signal }) => call(`/catalog/${name}/package_changes`, productChangesResponse, { signal }),
    staleTime: 60_000,
  });
}
