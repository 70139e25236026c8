import type { EntityManager } from 'typeorm';
import { DomainError } from '#libs/kernel';
import type { Demand, PlacementErrorCode } from './placement.errors.ts';

/** The row of the host is locked until the transaction ends, so what is free is still free when it is taken. */
const CHANGE = `
  WITH kept AS (
    SELECT * FROM reservations WHERE server_id = $1
  ), taken AS (
    UPDATE hosts h
    SET used_memory_mib = h.used_memory_mib - k.memory_mib + $2, used_vcpus = h.used_vcpus - k.vcpus + $3,
        used_disk_gib = h.used_disk_gib - k.disk_gib + $4
    FROM kept k
    WHERE h.id = k.host_id
      AND ($2 <= k.memory_mib OR h.used_memory_mib - k.memory_mib + $2 <= h.memory_mib)
      AND ($3 <= k.vcpus OR h.used_vcpus - k.vcpus + $3 <= h.vcpus)
      AND ($4 <= k.disk_gib OR h.used_disk_gib - k.disk_gib + $4 <= h.disk_gib)
    RETURNING h.id
  ), changed AS (
    UPDATE reservations SET memory_mib = $2, vcpus = $3, disk_gib = $4
    FROM taken WHERE server_id = $1 RETURNING server_id
  )
  SELECT server_id FROM changed`;

interface Shortage {
  readonly missingMemoryMib: number;
  readonly missingVcpus: number;
  readonly missingDiskGib: number;
}

/**
 * The room of a server, or of a volume, on the host that it has, is for so much from now on. The caller holds its row, so
 * that its reservation is changed by one at a time.
 * @throws DomainError `resource_unavailable` when its host has not so much more; `details` say how much is missing
 */
export async function changeReservation(
  manager: EntityManager,
  id: number,
  { memoryMib, vcpus, diskGib }: Demand,
): Promise<void> {
  const values = [id, memoryMib, vcpus, diskGib];
  const changed = await manager.query<unknown[]>(CHANGE, values);
  if (changed.length > 0) return;
  throw noRoom(await shortage(manager, values));
}

async function shortage(manager: EntityManager, values: readonly unknown[]): Promise<Shortage | undefined> {
  const [row] = await manager.query<Shortage[]>(
    `SELECT greatest(0, h.used_memory_mib - r.memory_mib + $2 - h.memory_mib) AS "missingMemoryMib",
            greatest(0, h.used_vcpus - r.vcpus + $3 - h.vcpus) AS "missingVcpus",
            greatest(0, h.used_disk_gib - r.disk_gib + $4 - h.disk_gib) AS "missingDiskGib"
     FROM reservations r JOIN hosts h ON h.id = r.host_id WHERE r.server_id = $1`,
    [...values],
  );
  return row;
}

function noRoom(missing: Shortage | undefined): DomainError {
  const story = missing
    ? ` (missing: ${missing.missingMemoryMib} MiB of memory, ${missing.missingVcpus} vCPUs, ${missing.missingDiskGib} GiB of disk)`
    : '';
  return new DomainError(
    'unavailable',
    'resource_unavailable' satisfies PlacementErrorCode,
    `its host has no room for what it is to become now: try again later${story}`,
    { details: { missing: { ...missing } } },
  );
}
