import type { EntityManager } from 'typeorm';
import { diskVolumeName, type Server } from './server.entity.ts';

/** Longer than a look at a host takes: a workflow that has ended since says no more of what was seen. */
const IDLE_MINUTES = 10;

/** Which generation's disk of a server is among a domain's volumes; undefined where it is none. */
export function generationOf({ id }: Pick<Server, 'id'>, volumes: readonly string[]): number | undefined {
  const generations = volumes.map((name) => Number(/-(\d{1,9})\.qcow2$/.exec(name)?.[1]));
  return generations.find((generation, index) => diskVolumeName({ id, generation }) === volumes[index]);
}

/**
 * A server goes on with the disk that its domain has, of a later generation than the database knows: it was rebuilt,
 * frozen or rolled back after the backup that the database was restored from. False where a workflow has it, or had it
 * so shortly ago that what was seen may be from before: a rebuild that was undone leaves the former disk.
 */
export async function adoptDisk(
  manager: EntityManager,
  { id, generation }: Pick<Server, 'id' | 'generation'>,
): Promise<boolean> {
  const [, adopted] = await manager.query<[unknown, number]>(
    `UPDATE servers s SET generation = $2
     WHERE s.id = $1 AND s.generation < $2 AND s.deleted_at IS NULL AND s.desired <> 'deleted'
       AND NOT EXISTS (SELECT FROM sagas g WHERE g.subject_type = 'server' AND g.subject_id = s.id
                       AND coalesce(g.finished_at, now()) > now() - make_interval(mins => ${IDLE_MINUTES}))`,
    [id, generation],
  );
  return adopted > 0;
}
