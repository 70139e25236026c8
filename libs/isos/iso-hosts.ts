import type { EntityManager } from 'typeorm';
import type { Iso } from './iso.entity.ts';

/** An ISO image that a host does not have, and the hosts that have it. */
export type MissingIso = Pick<Iso, 'id' | 'name' | 'volumeName' | 'sha256' | 'sizeBytes'> & {
  readonly hostIds: readonly number[];
};

/** What a host lacks and another one has, the oldest first. A younger one its operator is still bringing to the hosts. */
export function missingIsos(
  manager: EntityManager,
  hostId: number,
  { olderThanMinutes }: { readonly olderThanMinutes: number },
): Promise<MissingIso[]> {
  return manager.query(
    `SELECT i.id, i.name, i.volume_name AS "volumeName", i.sha256, i.size_bytes AS "sizeBytes", h.ids AS "hostIds"
     FROM isos i, LATERAL (SELECT json_agg(host_id ORDER BY host_id) AS ids FROM host_isos WHERE iso_id = i.id) h
     WHERE i.deleted_at IS NULL AND i.created_at < now() - make_interval(mins => $2) AND h.ids IS NOT NULL
       AND NOT EXISTS (SELECT FROM host_isos o WHERE o.iso_id = i.id AND o.host_id = $1)
     ORDER BY i.created_at, i.id`,
    [hostId, olderThanMinutes],
  );
}
