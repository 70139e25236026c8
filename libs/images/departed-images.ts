import type { EntityManager } from 'typeorm';
import type { Image } from './image.entity.ts';

/**
 * Imported images that were deleted and that a host may still have, while no server is of them and nothing is at work
 * with them.
 */
export function departedImages(
  manager: EntityManager,
  hostId: number,
): Promise<Pick<Image, 'id' | 'volumeName'>[]> {
  return manager.query(
    `SELECT i.id, i.volume_name AS "volumeName" FROM images i JOIN host_images h ON h.image_id = i.id
     WHERE h.host_id = $1 AND i.project_id IS NOT NULL AND i.frozen_disk_id IS NULL AND i.deleted_at IS NOT NULL
       AND NOT EXISTS (SELECT FROM servers s WHERE s.image_id = i.id AND s.deleted_at IS NULL)
       AND NOT EXISTS (SELECT FROM exports e WHERE e.image_id = i.id AND e.state = 'creating')
       AND NOT EXISTS (SELECT FROM actions a WHERE a.image_id = i.id AND a.status = 'running')`,
    [hostId],
  );
}

/** A host has an image no more. */
export async function noteDeparted(manager: EntityManager, imageId: number, hostId: number): Promise<void> {
  await manager.query('DELETE FROM host_images WHERE image_id = $1 AND host_id = $2', [imageId, hostId]);
}
