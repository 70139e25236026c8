import { queryOptions } from '@tanstack/react-query';
import {
  actionResponse,
  createImageResponse,
  type ImageWire,
  imageListResponse,
  imageResponse,
  importImageResponse,
  type UpdateImage,
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

/** What the project has kept of its servers and brought along, the newest first. */
export const ownImagesQuery = queryOptions({
  queryKey: ['images'],
  queryFn: ({ signal }) => {
    const path = `/images?type=snapshot&type=backup&sort=created:desc&per_page=${PER_PAGE}`;
    return everyPage(
      (page) => call(`${path}&page=${page}`, imageListResponse, { signal }),
      (answer) => answer.images,
    );
  },
  refetchInterval: ({ state }) => (state.data?.some(({ status }) => status === 'creating') ? 2_000 : 30_000),
});

/** One image of the project, or of the catalog. */
export function imageQuery(id: number) {
  return queryOptions({
    queryKey: ['images', id],
    queryFn: async ({ signal }) => (await call(`/images/${id}`, imageResponse, { signal })).image,
  });
}

export const IMPORT_FORMATS = ['qcow2', 'raw', 'vmdk', 'vdi', 'vhd', 'vhdx', 'ova'] as const;

/** A disk to be made an image of: one that was uploaded, or one that lies elsewhere. */
export interface DiskToImport {
  readonly name: string;
  readonly format: (typeof IMPORT_FORMATS)[number];
  readonly ssh_keys?: readonly number[];
  readonly upload?: number;
  readonly url?: string;
}

/** The answer has the image, which is ready when the action is over. */
export function importDisk(body: DiskToImport, idempotencyKey: string) {
  return call('/images/import', importImageResponse, { method: 'POST', body, idempotencyKey });
}

/** The answer has the image, which is ready when the action is over. */
export function takeSnapshot(serverId: number, description: string, withMemory: boolean) {
  const body = { type: 'snapshot', with_memory: withMemory, ...(description && { description }) };
  const options = { method: 'POST', body, idempotencyKey: newIdempotencyKey() } as const;
  return call(`/servers/${serverId}/actions/create_image`, createImageResponse, options);
}

/** Puts a server back to what the image holds of it; to its memory too, where it has that and this is wanted. */
export async function rollBackServer(serverId: number, imageId: number, withMemory: boolean) {
  const options = {
    method: 'POST',
    body: { image: imageId, with_memory: withMemory },
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

export async function updateImage(id: number, body: UpdateImage) {
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
