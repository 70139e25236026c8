import type { EntityManager } from 'typeorm';
import type { Image } from './image.entity.ts';

/** That a host did not take an image, and when it was last asked. */
export interface ImageRefusal {
  readonly code: string;
  readonly triedAt: Date;
}

/** Stands where a host is just given an image, so that a worker that dies meanwhile leaves a trace. */
export const UNDER_WAY = 'under_way';

/** An imported image that a host does not have, and what its file is. */
export type MissingImage = Pick<Image, 'id' | 'volumeName' | 'virtualSizeBytes' | 'devices'> & {
  readonly sha256: string;
};

/**
 * Imported images that a host does not have and was not asked to take within the last minutes, the oldest first. Golden
 * images of the catalog are its operator's to publish.
 */
export function missingImages(
  manager: EntityManager,
  hostId: number,
  { retryMinutes }: { readonly retryMinutes: number },
): Promise<MissingImage[]> {
  return manager.query(
    `SELECT i.id, i.volume_name AS "volumeName", i.virtual_size_bytes AS "virtualSizeBytes", i.devices, i.sha256
     FROM images i
     WHERE i.project_id IS NOT NULL AND i.frozen_disk_id IS NULL AND i.sha256 IS NOT NULL
       AND i.status = 'available' AND i.deleted_at IS NULL
       AND NOT EXISTS (SELECT FROM host_images h WHERE h.image_id = i.id AND h.host_id = $1)
       AND NOT EXISTS (SELECT FROM image_refusals r WHERE r.image_id = i.id AND r.host_id = $1
                       AND r.tried_at > now() - make_interval(mins => $2))
     ORDER BY i.created_at, i.id`,
    [hostId, retryMinutes],
  );
}

/** Ids of hosts that have an image. */
export async function hostsWith(manager: EntityManager, imageId: number): Promise<number[]> {
  const rows = await manager.query<{ id: number }[]>(
    'SELECT host_id AS id FROM host_images WHERE image_id = $1 ORDER BY 1',
    [imageId],
  );
  return rows.map(({ id }) => id);
}

/** That a host is asked to take an image, or that it did not and why; its taking ends that. */
export async function noteRefusal(
  manager: EntityManager,
  { imageId, hostId, code, message }: NewRefusal,
): Promise<void> {
  await manager.query(
    `INSERT INTO image_refusals (image_id, host_id, code, message) VALUES ($1, $2, $3, $4)
     ON CONFLICT (image_id, host_id) DO UPDATE SET code = $3, message = $4, tried_at = now()`,
    [imageId, hostId, code, message],
  );
}

export interface NewRefusal {
  readonly imageId: number;
  readonly hostId: number;
  readonly code: string;
  readonly message: string;
}

/** What a host refuses of the images that there are. */
export function refusedBy(manager: EntityManager, hostId: number): Promise<NewRefusal[]> {
  return manager.query(
    `SELECT image_id AS "imageId", host_id AS "hostId", code, message
     FROM image_refusals r JOIN images i ON i.id = r.image_id
     WHERE host_id = $1 AND code <> $2 AND i.deleted_at IS NULL ORDER BY 1`,
    [hostId, UNDER_WAY],
  );
}

/**
 * Imported images that were deleted and that a host may still have, while no server is of them, nothing is at work
 * with them, and no disk that was frozen stands on them, on whichever host.
 */
export function departedImages(
  manager: EntityManager,
  hostId: number,
): Promise<Pick<Image, 'id' | 'volumeName'>[]> {
  return manager.query(
    `SELECT i.id, i.volume_name AS "volumeName" FROM images i
     WHERE i.id IN (SELECT image_id FROM host_images WHERE host_id = $1
                    UNION SELECT image_id FROM image_refusals WHERE host_id = $1)
       AND i.project_id IS NOT NULL AND i.frozen_disk_id IS NULL AND i.deleted_at IS NOT NULL
       AND NOT EXISTS (SELECT FROM servers s WHERE s.image_id = i.id AND s.deleted_at IS NULL)
       AND NOT EXISTS (SELECT FROM frozen_disks f WHERE f.golden_image_id = i.id AND f.removed_at IS NULL)
       AND NOT EXISTS (SELECT FROM frozen_disks f JOIN images of ON of.frozen_disk_id = f.id
                       JOIN servers s ON s.image_id = of.id
                       WHERE f.golden_image_id = i.id AND s.deleted_at IS NULL)
       AND NOT EXISTS (SELECT FROM exports e WHERE e.image_id = i.id AND e.state = 'creating')
       AND NOT EXISTS (SELECT FROM actions a WHERE a.image_id = i.id AND a.status = 'running')`,
    [hostId],
  );
}

/** A host has an image no more. */
export async function noteDeparted(manager: EntityManager, imageId: number, hostId: number): Promise<void> {
  await manager.query('DELETE FROM host_images WHERE image_id = $1 AND host_id = $2', [imageId, hostId]);
  await manager.query('DELETE FROM image_refusals WHERE image_id = $1 AND host_id = $2', [imageId, hostId]);
}
