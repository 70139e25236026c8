import { queryOptions } from '@tanstack/react-query';
import { catalogResponse, quoteResponse } from '#libs/contracts';
import { call } from './client.ts';

export const catalogQuery = queryOptions({
  queryKey: ['catalog'],
  queryFn: ({ signal }) => call('/catalog', catalogResponse, { signal }),
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
