import { queryOptions } from '@tanstack/react-query';
import {
  findingListResponse,
  hostListResponse,
  hostResponse,
  saga,
  sagaListResponse,
  sagaResponse,
} from '#libs/contracts';
import { call, newIdempotencyKey } from './client.ts';

const EVERY_MS = 5_000;

export const SAGA_STATES = saga.shape.state.options;
export type SagaState = (typeof SAGA_STATES)[number];

export const hostsQuery = queryOptions({
  queryKey: ['hosts'],
  queryFn: async ({ signal }) => (await call('/hosts?per_page=50', hostListResponse, { signal })).hosts,
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

export const findingsQuery = queryOptions({
  queryKey: ['findings'],
  queryFn: async ({ signal }) =>
    (await call('/findings?per_page=50', findingListResponse, { signal })).findings,
  refetchInterval: EVERY_MS,
});
