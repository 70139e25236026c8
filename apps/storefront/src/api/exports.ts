import { queryOptions } from '@tanstack/react-query';
import { createExportResponse, type ExportWire, exportListResponse } from '#libs/contracts';
import { call, newIdempotencyKey, nothing } from './client.ts';
import { everyPage, PER_PAGE } from './pages.ts';

/** The exports of a server, the newest first, with links to those that are ready. */
export function serverExportsQuery(serverId: number) {
  return queryOptions({
    queryKey: ['servers', serverId, 'exports'],
    queryFn: ({ signal }) =>
      everyPage(
        (page) =>
          call(
            `/exports?server=${serverId}&sort=created:desc&per_page=${PER_PAGE}&page=${page}`,
            exportListResponse,
            { signal },
          ),
        (answer) => answer.exports,
      ),
    refetchInterval: ({ state }) =>
      state.data?.some(({ status }) => status === 'creating') ? 2_000 : 60_000,
  });
}

export async function exportServer(serverId: number, format: ExportWire['format']) {
  const options = { method: 'POST', body: { format }, idempotencyKey: newIdempotencyKey() } as const;
  return (await call(`/servers/${serverId}/exports`, createExportResponse, options)).export;
}

export function deleteExport({ id }: Pick<ExportWire, 'id'>) {
  return call(`/exports/${id}`, nothing, { method: 'DELETE' });
}
