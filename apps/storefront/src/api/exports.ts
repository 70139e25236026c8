import { queryOptions } from '@tanstack/react-query';
import { createExportResponse, type ExportWire, exportListResponse } from '#libs/contracts';
import { call, newIdempotencyKey, nothing } from './client.ts';
import { everyPage, PER_PAGE } from './pages.ts';

/** What is taken home: a server, or an image. */
export interface ExportSource {
  readonly type: 'server' | 'image';
  readonly id: number;
}

/** The exports of a server or an image, the newest first, with links to those that are ready. */
export function exportsQuery({ type, id }: ExportSource) {
  return queryOptions({
    queryKey: ['exports', type, id],
    queryFn: ({ signal }) =>
      everyPage(
        (page) =>
          call(
            `/exports?${type}=${id}&sort=created:desc&per_page=${PER_PAGE}&page=${page}`,
            exportListResponse,
            { signal },
          ),
        (answer) => answer.exports,
      ),
    refetchInterval: ({ state }) =>
      state.data?.some(({ status }) => status === 'creating') ? 2_000 : 60_000,
  });
}

export async function makeExport({ type, id }: ExportSource, format: ExportWire['format']) {
  const options = { method: 'POST', body: { format }, idempotencyKey: newIdempotencyKey() } as const;
  return (await call(`/${type}s/${id}/exports`, createExportResponse, options)).export;
}

export function deleteExport({ id }: Pick<ExportWire, 'id'>) {
  return call(`/exports/${id}`, nothing, { method: 'DELETE' });
}
