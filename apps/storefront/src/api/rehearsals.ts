import { queryOptions } from '@tanstack/react-query';
import {
  actionResponse,
  createRehearsalResponse,
  type RehearsalStage,
  type RehearsalSummaryWire,
  rehearsalListResponse,
  rehearsalOutputResponse,
  rehearsalResponse,
} from '#libs/contracts';
import { call, newIdempotencyKey, nothing } from './client.ts';
import { everyPage, PER_PAGE } from './pages.ts';
import { readOn, type WholeText } from './slices.ts';

export function isUnderWay({ status }: Pick<RehearsalSummaryWire, 'status'>): boolean {
  return status === 'rehearsing' || status === 'applying';
}

/** The rehearsals of a server, the newest first. */
export function serverRehearsalsQuery(serverId: number) {
  return queryOptions({
    queryKey: ['servers', serverId, 'rehearsals'],
    queryFn: ({ signal }) =>
      everyPage(
        (page) =>
          call(
            `/rehearsals?server=${serverId}&sort=created:desc&per_page=${PER_PAGE}&page=${page}`,
            rehearsalListResponse,
            { signal },
          ),
        (answer) => answer.rehearsals,
      ),
    refetchInterval: ({ state }) => (state.data?.some(isUnderWay) ? 3_000 : 60_000),
  });
}

export function rehearsalQuery(id: number) {
  return queryOptions({
    queryKey: ['rehearsals', id],
    queryFn: async ({ signal }) => (await call(`/rehearsals/${id}`, rehearsalResponse, { signal })).rehearsal,
    refetchInterval: ({ state }) => (state.data && !isUnderWay(state.data) ? false : 2_000),
  });
}

/** All that a script has printed so far, from slices that are read one after another. */
export function outputQuery(id: number, stage: RehearsalStage) {
  return queryOptions({
    queryKey: ['rehearsals', id, 'output', stage],
    queryFn: ({ signal, client, queryKey }) =>
      readOn(client.getQueryData<WholeText>(queryKey), async (after) => {
        const path = `/rehearsals/${id}/output?stage=${stage}&after=${after}`;
        return (await call(path, rehearsalOutputResponse, { signal })).output;
      }),
    refetchInterval: ({ state }) => (state.data?.isEnd ? false : 1_500),
  });
}

export interface WantedRehearsal {
  readonly script: string;
  readonly timeout_seconds: number;
  readonly keep_clone_hours: number;
}

export async function rehearse(serverId: number, body: WantedRehearsal) {
  const options = { method: 'POST', body, idempotencyKey: newIdempotencyKey() } as const;
  return (await call(`/servers/${serverId}/rehearsals`, createRehearsalResponse, options)).rehearsal;
}

export async function applyRehearsal(id: number, evenIfFailed: boolean) {
  const body = { even_if_failed: evenIfFailed };
  const options = { method: 'POST', body, idempotencyKey: newIdempotencyKey() } as const;
  return (await call(`/rehearsals/${id}/actions/apply`, actionResponse, options)).action;
}

export function deleteRehearsal(id: number) {
  return call(`/rehearsals/${id}`, nothing, { method: 'DELETE' });
}
