import { queryOptions } from '@tanstack/react-query';
import { catalogResponse, quoteResponse, serverTypeListResponse } from '#libs/contracts';
import { call } from './client.ts';

export const catalogQuery = queryOptions({
  queryKey: ['catalog'],
  queryFn: ({ signal }) => call('/catalog', catalogResponse, { signal }),
  staleTime: 30_000,
});

/** Every size that is sold, the cheapest first. */
export const serverTypesQuery = queryOptions({
  queryKey: ['server_types'],
  queryFn: async ({ signal }) => {
    const { server_types } = await call('/server_types?per_page=50', serverTypeListResponse, { signal });
    const hourly = ({ prices }: (typeof server_types)[number]) => Number(prices[0]?.price_hourly.gross ?? 0);
    return server_types.toSorted((a, b) => hourly(a) - hourly(b));
  },
  staleTime: 30_000,
});

export interface QuoteRequest {
  readonly server_type: string;
  readonly image: string;
}

/** What an order would cost, what would be held on the card, and what stands in its way. */
export function quoteQuery(request: QuoteRequest) {
  return queryOptions({
    queryKey: ['quote', request],
    queryFn: async ({ signal }) => {
      const answer = await call('/quotes', quoteResponse, { method: 'POST', body: request, signal });
      return answer.quote;
    },
  });
}
