import { queryOptions } from '@tanstack/react-query';
import {
  actionResponse,
  createVolumeResponse,
  pricingResponse,
  type VolumeWire,
  type volumeFormats,
  volumeListResponse,
} from '#libs/contracts';
import { call, newIdempotencyKey, nothing } from './client.ts';
import { everyPage, PER_PAGE } from './pages.ts';

/** The volumes of the project, the newest first. */
export const volumesQuery = queryOptions({
  queryKey: ['volumes'],
  queryFn: ({ signal }) =>
    everyPage(
      (page) =>
        call(`/volumes?sort=created:desc&per_page=${PER_PAGE}&page=${page}`, volumeListResponse, { signal }),
      (answer) => answer.volumes,
    ),
  refetchInterval: ({ state }) => (state.data?.some(({ status }) => status === 'creating') ? 2_000 : 10_000),
});

/** What a GB of a volume costs in a month. */
export const volumePriceQuery = queryOptions({
  queryKey: ['pricing', 'volume'],
  queryFn: async ({ signal }) => {
    const { pricing } = await call('/pricing', pricingResponse, { signal });
    return { currency: pricing.currency, perGbMonth: pricing.volume.price_per_gb_month.gross };
  },
  staleTime: 60_000,
});

export interface VolumeOrder {
  readonly name: string;
  readonly size: number;
  readonly format?: (typeof volumeFormats)[number];
  readonly server?: number;
  readonly automount?: boolean;
}

/** Places the order: Hetzner's `POST /volumes`. */
export function createVolume(body: VolumeOrder, idempotencyKey: string) {
  return call('/volumes', createVolumeResponse, { method: 'POST', body, idempotencyKey });
}

/** The answer has the action, whose end is that of the attaching, detaching or growing. */
async function act(id: number, name: string, body: unknown) {
  const options = { method: 'POST', body, idempotencyKey: newIdempotencyKey() } as const;
  return (await call(`/volumes/${id}/actions/${name}`, actionResponse, options)).action;
}

export function attachVolume(id: number, server: number, automount: boolean) {
  return act(id, 'attach', { server, automount });
}

export function detachVolume(id: number) {
  return act(id, 'detach', {});
}

export function resizeVolume(id: number, size: number) {
  return act(id, 'resize', { size });
}

export function protectVolume({ id, protection }: VolumeWire) {
  return act(id, 'change_protection', { delete: !protection.delete });
}

export function deleteVolume(id: number) {
  return call(`/volumes/${id}`, nothing, { method: 'DELETE' });
}
