import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import {
  findingListResponse,
  hostListResponse,
  hostResponse,
  saga,
  sagaListResponse,
  sagaResponse,
} from '#libs/contracts';
import { call, newIdempotencyKey } from './client.ts';
import { everyPage, PER_PAGE } from './pages.ts';

const EVERY_MS = 5_000;

export const SAGA_STATES = saga.shape.state.options;
export type SagaState = (typeof SAGA_STATES)[number];

export const hostsQuery = queryOptions({
  queryKey: ['hosts'],
  queryFn: ({ signal }) =>
    everyPage(
      (page) => call(`/hosts?sort=name&per_page=${PER_PAGE}&page=${page}`, hostListResponse, { signal }),
      ({ hosts }) => hosts,
    ),
  refetchInterval: EVERY_MS,
});

/** Takes a host out of placement (`drain`) or back in (`activate`). */
export async function actOnHost(id: number, name: 'drain' | 'activate') {
  const options = { method: 'POST', body: {}, idempotencyKey: newIdempotencyKey() } as const;
  return (await call(`/hosts/${id}/actions/${name}`, hostResponse, options)).host;
}

export function sagasQuery(state: SagaState | undefined) {
  const filter = state === undefined ? '' : `?state=${state}`;
  return queryOptions({
    queryKey: ['sagas', { state }],
    queryFn: async ({ signal }) => (await call(`/sagas${filter}`, sagaListResponse, { signal })).sagas,
    refetchInterval: EVERY_MS,
  });
}

export function sagaQuery(id: number) {
  return queryOptions({
    queryKey: ['sagas', id],
    queryFn: async ({ signal }) => (await call(`/sagas/${id}`, sagaResponse, { signal })).saga,
    refetchInterval: ({ state }) => (state.data?.finished ? false : 2_000),
  });
}

/** Lets a workflow that waits for its operator go on from where it stands. */
export async function resumeSaga(id: number) {
  const options = { method: 'POST', body: {}, idempotencyKey: newIdempotencyKey() } as const;
  return (await call(`/sagas/${id}/actions/resume`, sagaResponse, options)).saga;
}

/** One page of the open findings, those seen last first. */
export function findingsQuery(page: number) {
  return queryOptions({
    queryKey: ['findings', { page }],
    queryFn: async ({ signal }) => {
      const path = `/findings?sort=last_seen:desc&per_page=${PER_PAGE}&page=${page}`;
      const { findings, meta } = await call(path, findingListResponse, { signal });
      return { findings, pagination: meta.pagination };
    },
    placeholderData: keepPreviousData,
    refetchInterval: EVERY_MS,
  });
}
