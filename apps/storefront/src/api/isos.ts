import { queryOptions } from '@tanstack/react-query';
import { actionResponse, isoListResponse } from '#libs/contracts';
import { call, newIdempotencyKey } from './client.ts';
import { everyPage, PER_PAGE } from './pages.ts';

/** The ISO images that can be put into the CD drive of a server. */
export const isosQuery = queryOptions({
  queryKey: ['isos'],
  queryFn: ({ signal }) =>
    everyPage(
      (page) => call(`/isos?sort=name&per_page=${PER_PAGE}&page=${page}`, isoListResponse, { signal }),
      ({ isos }) => isos,
    ),
});

export async function attachIso(serverId: number, iso: number) {
  const options = { method: 'POST', body: { iso }, idempotencyKey: newIdempotencyKey() } as const;
  return (await call(`/servers/${serverId}/actions/attach_iso`, actionResponse, options)).action;
}
