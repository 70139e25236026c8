import { MutationCache, QueryCache, QueryClient } from '@tanstack/react-query';
import { ApiError } from './client.ts';

const MAX_RETRIES = 3;

/** Only what may pass by itself is tried again: a lost connection, an overload, a fault of the service. */
function mayPass(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 0 || error.status === 429 || error.status >= 500);
}

/** A session that has ended elsewhere is seen at the first answer that says so. */
function noticeEndOfSession(error: unknown): void {
  if (error instanceof ApiError && error.status === 401) queryClient.setQueryData(['account'], null);
}

export const queryClient: QueryClient = new QueryClient({
  queryCache: new QueryCache({ onError: noticeEndOfSession }),
  mutationCache: new MutationCache({ onError: noticeEndOfSession }),
  defaultOptions: {
    queries: {
      retry: (failures, error) => failures < MAX_RETRIES && mayPass(error),
      staleTime: 2_000,
    },
    // Without a connection it is refused at once: kept for later, it would happen when nobody wants it any more.
    mutations: { networkMode: 'always' },
  },
});
