import type { DataSource, EntityManager, SelectQueryBuilder } from 'typeorm';
import { runInTransaction } from '#libs/database';
import type { Image } from '#libs/images';
import { FrozenDisk } from './frozen-disk.entity.ts';
import { diskVolumeName, type Server } from './server.entity.ts';
import { ServersError } from './servers.errors.ts';

/**
 * A server's disk was frozen, and the server goes on with the next generation's, which stands on it. Success where that
 * is known already. Call it in the transaction that says that it happened.
 */
export async function recordFreeze(
  manager: EntityManager,
  server: DiskOwner,
  frozen: NewFrozenDisk,
): Promise<void> {
  if (!(await insertFrozen(manager, server, frozen))) return;
  await manager.query('UPDATE servers SET generation = $2, stands_on = $3 WHERE id = $1', [
    server.id,
    frozen.nextGeneration,
    frozen.id,
  ]);
}

/**
 * A server's disk was set aside, and the server goes on with the next generation's, which stands on what was frozen of it
 * before: it is again of the image, upgraded, known by the host key, on the devices and with its timers held as it was
 * then.
 */
export async function recordRollBack(
  manager: EntityManager,
  server: DiskOwner,
  setAside: NewFrozenDisk,
  to: Pick<Server, 'id' | 'imageId' | 'upgradedTo' | 'hostKey' | 'devices' | 'holdsTimers'>,
): Promise<void> {
  await insertFrozen(manager, server, setAside);
  await manager.query(
    `UPDATE servers SET generation = $2, stands_on = $3, image_id = $4, upgraded_to = $5,
                        host_key = coalesce($6, host_key), devices = $7, holds_timers = $8
     WHERE id = $1`,
    [
      ...[server.id, setAside.nextGeneration, to.id, to.imageId, to.upgradedTo, to.hostKey],
      JSON.stringify(to.devices),
      to.holdsTimers,
    ],
  );
}

type DiskOwner = Pick<
  Server,
  'id' | 'hostId' | 'standsOn' | 'imageId' | 'upgradedTo' | 'hostKey' | 'holdsTimers'
>;
type NewFrozenDisk = Pick<FrozenDisk, 'id' | 'consistency'> & { readonly nextGeneration: number };

/** False where it is there already. */
async function insertFrozen(
  manager: EntityManager,
  { id: serverId, hostId, standsOn, imageId, upgradedTo, hostKey, holdsTimers }: DiskOwner,
  { id, consistency, nextGeneration }: NewFrozenDisk,
): Promise<boolean> {
  const volumeName = diskVolumeName({ id: serverId, generation: nextGeneration - 1 });
  const added = await manager.query<unknown[]>(
    `INSERT INTO frozen_disks (id, server_id, host_id, volume_name, stands_on, consistency, image_id, upgraded_to,
                               host_key, holds_timers, golden_image_id)
     SELECT $1, $2, $3, $4, $5, $6, i.id, $8, $9, $10, CASE WHEN i.frozen_disk_id IS NULL THEN i.id ELSE f.golden_image_id END
     FROM images i LEFT JOIN frozen_disks f ON f.id = i.frozen_disk_id WHERE i.id = $7
     ON CONFLICT (id) DO NOTHING RETURNING id`,
    [id, serverId, hostId, volumeName, standsOn, consistency, imageId, upgradedTo, hostKey, holdsTimers],
  );
  return added.length > 0;
}

/** Names of the frozen disks, and of the memory that was kept with them, among some volumes of hosts' disk pools. */
export async function frozenAmong(
  manager: EntityManager,
  volumeNames: readonly string[],
): Promise<ReadonlySet<string>> {
  const rows = await manager.query<{ name: string }[]>(
    `SELECT volume_name AS name FROM frozen_disks WHERE volume_name = ANY($1) AND removed_at IS NULL
     UNION ALL SELECT memory_volume_name FROM frozen_disks WHERE memory_volume_name = ANY($1)`,
    [volumeNames],
  );
  return new Set(rows.map(({ name }) => name));
}

/**
 * Frozen disks that a host keeps and that nothing stands on any more, here or on its peers: no image, no server, no other
 * frozen disk; and that no export reads and no test starts from. A server that is being worked on may be about to stand on
 * one, so its disks wait.
 */
export function unneededDisks(manager: EntityManager, hostId: number): Promise<FrozenDisk[]> {
  return unneeded(manager).andWhere('f.hostId = :hostId', { hostId }).getMany();
}

/**
 * Says of a frozen disk that it is no more, before it is removed, so that nobody comes to stand on it meanwhile: other hosts
 * may have come to since it was looked at, which the host that removes it cannot see. False where it is needed.
 */
export function retireDisk(dataSource: DataSource, id: number): Promise<boolean> {
  return runInTransaction(dataSource, async (manager) => {
    // Who takes it for a base holds its row.
    await manager.query('SELECT FROM frozen_disks WHERE id = $1 FOR UPDATE', [id]);
    if ((await unneeded(manager).andWhere('f.id = :id', { id }).getCount()) === 0) return false;
    await manager.query('UPDATE frozen_disks SET removed_at = now() WHERE id = $1', [id]);
    return true;
  });
}

/** A frozen disk is still there after all, unless its host has been forgotten meanwhile. */
export async function keepDisk(manager: EntityManager, id: number): Promise<void> {
  await manager.query('UPDATE frozen_disks SET removed_at = NULL WHERE id = $1 AND host_id IS NOT NULL', [
    id,
  ]);
}

/**
 * Keeps the disk of an image until the transaction ends, which is to say who stands on it; a golden image has none.
 * @throws ServersError `image_not_found`
 */
export async function holdDisk(
  manager: EntityManager,
  { id, frozenDiskId }: Pick<Image, 'id' | 'frozenDiskId'>,
): Promise<void> {
  if (frozenDiskId === null) return;
  const held = await manager.query<unknown[]>(
    'SELECT id FROM frozen_disks WHERE id = $1 AND removed_at IS NULL FOR KEY SHARE',
    [frozenDiskId],
  );
  if (held.length === 0) throw new ServersError('image_not_found', `there is no image ${id}`);
}

/** @throws ServersError `image_out_of_reach` where a server's disk cannot stand on that of an image, for it stays on its host */
export async function assertInReach(
  manager: EntityManager,
  { hostId }: Pick<Server, 'hostId'>,
  { id, frozenDiskId }: Pick<Image, 'id' | 'frozenDiskId'>,
): Promise<void> {
  if (frozenDiskId === null || hostId === null) return;
  const reached = await manager.query<unknown[]>(
    `SELECT id FROM frozen_disks f WHERE id = $1 AND (host_id = $2 OR EXISTS (
       SELECT FROM storage_peers p JOIN host_images i ON i.host_id = p.peer_id AND i.image_id = f.golden_image_id
       WHERE p.host_id = f.host_id AND p.peer_id = $2))`,
    [frozenDiskId, hostId],
  );
  if (reached.length > 0) return;
  const message = `the host of this server does not reach the disk of image ${id}: order a new server from it`;
  throw new ServersError('image_out_of_reach', message, 'image');
}

function unneeded(manager: EntityManager): SelectQueryBuilder<FrozenDisk> {
  return manager
    .getRepository(FrozenDisk)
    .createQueryBuilder('f')
    .where('f.removedAt IS NULL')
    .andWhere('NOT EXISTS (SELECT FROM images i WHERE i.frozen_disk_id = f.id AND i.deleted_at IS NULL)')
    .andWhere('NOT EXISTS (SELECT FROM servers s WHERE s.stands_on = f.id AND s.deleted_at IS NULL)')
    .andWhere(
      `NOT EXISTS (SELECT FROM servers s
                   WHERE s.copied_disk_id = f.id AND s.ready_at IS NULL AND s.deleted_at IS NULL)`,
    )
    .andWhere('NOT EXISTS (SELECT FROM frozen_disks g WHERE g.stands_on = f.id AND g.removed_at IS NULL)')
    .andWhere(`NOT EXISTS (SELECT FROM exports e WHERE e.frozen_disk_id = f.id AND e.state = 'creating')`)
    .andWhere(
      `NOT EXISTS (SELECT FROM restore_tests t WHERE t.frozen_disk_id = f.id AND t.state = 'running')`,
    )
    .andWhere(
      `NOT EXISTS (SELECT FROM actions a JOIN images i ON i.id = a.image_id
                   WHERE a.status = 'running' AND i.frozen_disk_id = f.id)`,
    );
}

/** Memory on a host that no image has any more, by its frozen disk; what a workflow may be about to go on from waits. */
export function unneededMemory(
  manager: EntityManager,
  hostId: number,
): Promise<{ readonly id: number; readonly volumeName: string }[]> {
  return manager.query(
    `SELECT f.id, f.memory_volume_name AS "volumeName" FROM frozen_disks f
     WHERE f.host_id = $1 AND f.memory_volume_name IS NOT NULL
       AND NOT EXISTS (SELECT FROM images i WHERE i.frozen_disk_id = f.id AND i.deleted_at IS NULL)
       AND NOT EXISTS (SELECT FROM actions a JOIN images i ON i.id = a.image_id
                       WHERE a.status = 'running' AND i.frozen_disk_id = f.id)`,
    [hostId],
  );
}

/** What was kept of a guest's memory is no more. */
export async function noteMemoryRemoved(manager: EntityManager, id: number): Promise<void> {
  await manager.query('UPDATE frozen_disks SET memory_volume_name = NULL WHERE id = $1', [id]);
}

/** A server whose disk stands on a frozen one. */
export type Layered = Pick<Server, 'id' | 'domainUuid' | 'generation'>;

/**
 * Servers of a host that run, or are off, and whose disks stand on what was frozen of them, while no workflow works on
 * them. What was made of another one's snapshot goes on sharing it. One that a workflow has just tried to merge, whatever
 * came of it, is passed over for a while.
 */
export function frozenUnder(
  manager: EntityManager,
  hostId: number,
  observed: 'running' | 'off',
): Promise<Layered[]> {
  return manager.query<Layered[]>(
    `SELECT s.id, s.domain_uuid AS "domainUuid", s.generation
     FROM servers s JOIN frozen_disks f ON f.id = s.stands_on AND f.server_id = s.id
     WHERE s.host_id = $1 AND s.deleted_at IS NULL AND s.ready_at IS NOT NULL AND s.observed = $2
       AND NOT EXISTS (SELECT FROM actions a WHERE a.server_id = s.id AND a.status = 'running')
       AND NOT EXISTS (SELECT FROM sagas g WHERE g.subject_type = 'server' AND g.subject_id = s.id
                       AND (g.finished_at IS NULL OR g.name = 'merge-layers'
                                                     AND g.finished_at > now() - interval '1 hour'))
     ORDER BY s.id`,
    [hostId, observed],
  );
}

/** The disk of a server stands on a golden image alone again; not so where it has another disk by now. */
export async function noteMerged(manager: EntityManager, { id, generation }: Layered): Promise<void> {
  await manager.query('UPDATE servers SET stands_on = NULL WHERE id = $1 AND generation = $2', [
    id,
    generation,
  ]);
}
