import { queryOptions } from '@tanstack/react-query';
import {
  actionResponse,
  createImageResponse,
  type ImageWire,
  imageListResponse,
  imageResponse,
} from '#libs/contracts';
import { call, newIdempotencyKey, nothing } from './client.ts';
import { everyPage, PER_PAGE } from './pages.ts';

/** What was kept of a server's disk, the newest first. */
export function serverImagesQuery(serverId: number) {
  return queryOptions({
    queryKey: ['servers', serverId, 'images'],
    queryFn: async ({ signal }) => {
      const path = `/images?type=snapshot&type=backup&sort=created:desc&per_page=${PER_PAGE}`;
      const images = await everyPage(
        (page) => call(`${path}&page=${page}`, imageListResponse, { signal }),
        (answer) => answer.images,
      );
      return images.filter(({ created_from: from }) => from?.id === serverId);
    },
    refetchInterval: ({ state }) =>
      state.data?.some(({ status }) => status === 'creating') ? 2_000 : 30_000,
  });
}

/** The answer has the image, which is ready when the action is over. */
export function takeSnapshot(serverId: number, description: string) {
  const body = { type: 'snapshot', ...(description && { description }) };
  const options = { method: 'POST', body, idempotencyKey: newIdempotencyKey() } as const;
  return call(`/servers/${serverId}/actions/create_image`, createImageResponse, options);
}

/** Puts a server back to what the image holds of it. */
export async function rollBackServer(serverId: number, imageId: number) {
  const options = {
    method: 'POST',
    body: { image: imageId },
    idempotencyKey: newIdempotencyKey(),
  } as const;
  return (await call(`/servers/${serverId}/actions/roll_back`, actionResponse, options)).action;
}

/** `enable_backup` lets the service choose the window. */
export async function setBackups(serverId: number, isOn: boolean) {
  const options = { method: 'POST', body: {}, idempotencyKey: newIdempotencyKey() } as const;
  const name = isOn ? 'enable_backup' : 'disable_backup';
  return (await call(`/servers/${serverId}/actions/${name}`, actionResponse, options)).action;
}

export async function updateImage(id: number, body: { description?: string; type?: 'snapshot' }) {
  return (await call(`/images/${id}`, imageResponse, { method: 'PUT', body })).image;
}

export async function protectImage(id: number, isProtected: boolean) {
  const options = {
    method: 'POST',
    body: { delete: isProtected },
    idempotencyKey: newIdempotencyKey(),
  } as const;
  return (await call(`/images/${id}/actions/change_protection`, actionResponse, options)).action;
}

export function deleteImage({ id }: Pick<ImageWire, 'id'>) {
  return call(`/images/${id}`, nothing, { method: 'DELETE' });
}
