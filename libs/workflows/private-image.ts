import type { EntityManager } from 'typeorm';
import { openImage } from '#libs/billing';
import { bringImage } from '#libs/fleet';
import {
  type Devices,
  HypervisorError,
  type HypervisorErrorCode,
  type ImageFile,
  isHypervisorError,
  type OnProgress,
} from '#libs/hypervisor';
import { type Image, ImagesService, type NewRefusal, noteRefusal } from '#libs/images';
import { bytesToWholeGib, DomainError } from '#libs/kernel';
import { HostsService, toHostRef } from '#libs/placement';
import type { StepContext } from '#libs/saga';
import type { WorkflowDeps } from './workflow-deps.ts';

type Context = Pick<StepContext<unknown, unknown, WorkflowDeps>, 'deps' | 'log'>;

/** The host may take it later. */
const AWAY: readonly HypervisorErrorCode[] = ['host_unreachable', 'host_timeout'];

/** Hosts that have an image, and those that did not take it. */
export interface Brought {
  readonly hostIds: number[];
  readonly refusals: Omit<NewRefusal, 'imageId'>[];
}

/**
 * Brings a project's own image to all hosts. Those that do not take it are left out: servers are placed on the others, and
 * they are asked again later. @throws DomainError `image_not_published` where no host took it
 */
export async function bringToAllHosts(
  { deps: { dataSource, hypervisor }, log }: Context,
  file: ImageFile,
  devices: Devices,
  progressOf: (index: number, hostCount: number) => OnProgress,
): Promise<Brought> {
  const hosts = await new HostsService(dataSource).existing();
  const hostIds: number[] = [];
  const refusals: Omit<NewRefusal, 'imageId'>[] = [];
  let cause: unknown;
  for (const [index, host] of hosts.entries()) {
    try {
      await bringImage(hypervisor, host, { devices, file }, progressOf(index, hosts.length));
      hostIds.push(host.id);
    } catch (error) {
      log.warn({ err: error, host: host.name }, 'a host did not take an image');
      cause ??= error;
      if (error instanceof HypervisorError && !AWAY.includes(error.code)) {
        refusals.push({ hostId: host.id, code: error.code, message: error.message });
      }
    }
  }
  if (hostIds.length > 0) return { hostIds, refusals };
  throw new DomainError('unavailable', 'image_not_published', 'no host can take the image now', {
    cause,
  });
}

export async function noteBrought(
  manager: EntityManager,
  { dataSource }: WorkflowDeps,
  imageId: number,
  { hostIds, refusals }: Brought,
): Promise<void> {
  const images = new ImagesService(dataSource);
  for (const hostId of hostIds) await images.recordOnHost(manager, imageId, hostId);
  for (const refusal of refusals) await noteRefusal(manager, { imageId, ...refusal });
}

/** @returns ids of hosts that did not answer, and may have it still */
export async function takeFromAllHosts(
  { dataSource, hypervisor }: WorkflowDeps,
  volumeName: string,
): Promise<{ readonly leftOn: number[] }> {
  const leftOn: number[] = [];
  for (const host of await new HostsService(dataSource).existing()) {
    try {
      await hypervisor.deleteImage(toHostRef(host), volumeName);
    } catch (error) {
      if (!isHypervisorError(error, ...AWAY)) throw error;
      leftOn.push(host.id);
    }
  }
  return { leftOn };
}

export async function noteTaken(
  manager: EntityManager,
  imageId: number,
  { leftOn }: { readonly leftOn: readonly number[] },
): Promise<void> {
  await manager.query('DELETE FROM image_refusals WHERE image_id = $1', [imageId]);
  // The reconciler takes it from those that did not answer, once they do.
  await manager.query('DELETE FROM host_images WHERE image_id = $1 AND host_id <> ALL($2)', [
    imageId,
    leftOn,
  ]);
  await manager.query(
    'INSERT INTO host_images (image_id, host_id) SELECT $1, unnest($2::bigint[]) ON CONFLICT DO NOTHING',
    [imageId, leftOn],
  );
}

/** Billed as a snapshot is: by the GiB of its file. */
export async function billPrivateImage(
  manager: EntityManager,
  owner: { readonly accountId: number; readonly currency: string },
  { id: serverId, projectId, appliance }: Image,
  fileSizeBytes: number,
): Promise<void> {
  if (projectId === null) return;
  const { accountId, currency } = owner;
  const subscriber = { accountId, currency, projectId, serverId, serverName: `Image ${appliance.title}` };
  await openImage(manager, subscriber, 'snapshot', Math.max(1, bytesToWholeGib(fileSizeBytes)));
}
