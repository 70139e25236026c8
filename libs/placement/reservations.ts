import type { EntityManager } from 'typeorm';

/**
 * Gives a part of the disk that one has on its host to another, which has no room elsewhere from then on. Where that was
 * all, the one has none any more.
 */
export async function passOnRoom(
  manager: EntityManager,
  { from, to, diskGib }: { readonly from: number; readonly to: number; readonly diskGib: number },
): Promise<void> {
  await release(manager, to);
  const passed = await manager.query<unknown[]>(
    `WITH less AS (UPDATE reservations SET disk_gib = disk_gib - $3 WHERE server_id = $1 AND disk_gib > $3 RETURNING host_id),
          none AS (DELETE FROM reservations WHERE server_id = $1 AND disk_gib = $3 RETURNING host_id)
     INSERT INTO reservations (server_id, host_id, memory_mib, vcpus, disk_gib)
     SELECT $2, host_id, 0, 0, $3 FROM (SELECT * FROM less UNION ALL SELECT * FROM none) AS one
     RETURNING server_id`,
    [from, to, diskGib],
  );
  if (passed.length !== 1) throw new Error(`${from} has no ${diskGib} GiB to pass on to ${to}`);
}

/** Gives a reservation back; success where there is none. */
export async function release(manager: EntityManager, serverId: number): Promise<void> {
  await manager.query(
    `WITH freed AS (DELETE FROM reservations WHERE server_id = $1 RETURNING *)
     UPDATE hosts h
     SET used_memory_mib = h.used_memory_mib - f.memory_mib, used_vcpus = h.used_vcpus - f.vcpus,
         used_disk_gib = h.used_disk_gib - f.disk_gib
     FROM freed f WHERE h.id = f.host_id`,
    [serverId],
  );
}

export async function reservedHost(manager: EntityManager, serverId: number): Promise<number | undefined> {
  const [row] = await manager.query<{ hostId: number }[]>(
    `SELECT host_id AS "hostId" FROM reservations WHERE server_id = $1`,
    [serverId],
  );
  return row?.hostId;
}
