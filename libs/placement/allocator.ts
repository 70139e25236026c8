import type { EntityManager } from 'typeorm';
import { runStatements, type Statement } from '#libs/database';
import { type Along, type AlongDisk, diskWith, reachesAll } from './disks-along.ts';
import { type Demand, type FilterReport, noCapacity } from './placement.errors.ts';

export interface PlacementRequest extends Demand {
  /** A server, or what else takes room: a volume, a test of a backup. */
  readonly serverId: number;
  readonly locationId: number;
  /** Null for a volume, which needs none. */
  readonly imageId: number | null;
  /** For what can be made on this host alone, whether or not it has the image. */
  readonly hostId?: number;
  /** For what stands on a disk of this host, which is frozen, or is to be: here or on a peer that has the image beneath it. */
  readonly besideHostId?: number | null;
  /** Disks that it has from the start: their room is its own, where they lie elsewhere, until `passOnRoom`. */
  readonly along?: readonly AlongDisk[];
}

export interface Reserved {
  readonly hostId: number;
}

/**
 * What is asked for stands on a disk that `near` keeps, or on a golden image alone: that is its `golden`, of which a
 * snapshot knows by its frozen disk. Found out first, and once: it is one row of each table, and hosts are many.
 * `$1` image or null, `$2` the host beside which it is made, or null.
 */
const WANTED = `wanted AS MATERIALIZED (
  SELECT coalesce($2::bigint, f.host_id) AS near,
         CASE WHEN i.frozen_disk_id IS NULL THEN i.id ELSE f.golden_image_id END AS golden
  FROM (VALUES ($1::bigint)) AS w (image_id)
  LEFT JOIN images i ON i.id = w.image_id LEFT JOIN frozen_disks f ON f.id = i.frozen_disk_id)`;

const NEAR = '(SELECT near FROM wanted)';

/** Of hosts `h`, for what is `wanted`; `$3` the one host that will do, or null. */
const REACHES = `
  CASE WHEN $3::bigint IS NOT NULL THEN h.id = $3
       ELSE ${NEAR} IS NULL OR h.id = ${NEAR}
            OR EXISTS (SELECT FROM storage_peers p WHERE p.host_id = ${NEAR} AND p.peer_id = h.id) END`;

/** Disks name by path the image that they end in, so each host needs it. That which keeps the disk has it. */
const HAS_IMAGE = `
  ($1::bigint IS NULL OR $3::bigint IS NOT NULL OR h.id = ${NEAR}
   OR EXISTS (SELECT FROM host_images i WHERE i.host_id = h.id AND i.image_id = (SELECT golden FROM wanted)))`;

/**
 * Best fit: the host that is left with the smallest share of memory and vCPUs free. It keeps whole hosts free
 * for large servers; on the Azure trace best fit needs 6 % more hosts than the volume's lower bound, worst fit 23 %.
 * What takes disk alone goes where most of that is left.
 * `$4` location, `$5` MiB, `$6` vCPUs, `$7` GiB, `$8` server.
 */
const PLACE = (lock: 'SKIP LOCKED' | '', along: Along) => `
  WITH kept AS (
    SELECT host_id FROM reservations WHERE server_id = $8
  ), ${WANTED}, chosen AS (
    SELECT h.id FROM hosts h
    WHERE NOT EXISTS (SELECT FROM kept) AND h.state = 'active' AND h.location_id = $4
      AND ${REACHES}
      AND ${reachesAll(along)}
      AND ${HAS_IMAGE}
      AND h.memory_mib - h.used_memory_mib >= $5
      AND h.vcpus - h.used_vcpus >= $6
      AND h.disk_gib - h.used_disk_gib >= ${diskWith(along)}
    ORDER BY CASE WHEN $6 = 0 THEN h.used_disk_gib::float8 / h.disk_gib END,
           (h.memory_mib - h.used_memory_mib - $5)::float8 / h.memory_mib
           + (h.vcpus - h.used_vcpus - $6)::float8 / h.vcpus, h.id
    LIMIT 1
    FOR NO KEY UPDATE OF h ${lock}
  ), taken AS (
    UPDATE hosts h
    SET used_memory_mib = h.used_memory_mib + $5, used_vcpus = h.used_vcpus + $6,
        used_disk_gib = h.used_disk_gib + ${diskWith(along)}
    FROM chosen WHERE h.id = chosen.id
    RETURNING h.id, ${diskWith(along)} AS disk_gib
  ), reserved AS (
    INSERT INTO reservations (server_id, host_id, memory_mib, vcpus, disk_gib)
    SELECT $8, taken.id, $5, $6, taken.disk_gib FROM taken
    RETURNING host_id
  )
  SELECT host_id AS "hostId" FROM kept UNION ALL SELECT host_id FROM reserved`;

const PASSING_OVER = { alone: PLACE('SKIP LOCKED', null), along: PLACE('SKIP LOCKED', '$9') };
const WAITING = { alone: PLACE('', null), along: PLACE('', '$9') };

/** What a look that found nothing may have locked is given free again by going back to here. */
const BEFORE_PLACING: Statement = { text: 'SAVEPOINT before_placing', values: [] };
const PLACE_ANEW: Statement = { text: 'ROLLBACK TO SAVEPOINT before_placing', values: [] };

/** Who waits for hosts waits alone: it locks each host that it looks at, in the order in which they suit it. */
const WAIT_ALONE = "SELECT pg_advisory_xact_lock(hashtextextended('placing in ' || $1::text, 0))";

/**
 * Reserves room for a server, where a host has it that no other transaction is just deciding on; the rows of the last
 * statement are that host, or none, and then `reserveWaiting` has to follow. A server that has a reservation keeps it.
 * The rows' check constraints make overselling impossible whatever runs beside it.
 */
export function reservation(request: PlacementRequest): readonly [Statement, Statement<Reserved>] {
  return [BEFORE_PLACING, placing(PASSING_OVER, request)];
}

/**
 * Reserves room for a server within the caller's transaction and returns the host's id. Orders that run beside each
 * other don't queue for the one best host: one that another transaction is deciding on is waited for only when no
 * other fits.
 *
 * @throws DomainError `resource_unavailable` with the number of hosts that each filter left.
 */
export async function reserve(manager: EntityManager, request: PlacementRequest): Promise<number> {
  const [, [reserved]] = await runStatements(manager, reservation(request));
  return reserved?.hostId ?? (await reserveWaiting(manager, request));
}

/**
 * The same after a `reservation` that found nothing: waits for the hosts that others are deciding on.
 *
 * @throws DomainError `resource_unavailable` with the number of hosts that each filter left.
 */
export async function reserveWaiting(manager: EntityManager, request: PlacementRequest): Promise<number> {
  const turn: Statement = { text: WAIT_ALONE, values: [request.locationId] };
  const [, , [reserved]] = await runStatements(manager, [PLACE_ANEW, turn, placing(WAITING, request)]);
  if (reserved) return reserved.hostId;
  throw noCapacity(request, await filterReport(manager, request));
}

function placing(texts: typeof WAITING, request: PlacementRequest): Statement<Reserved> {
  const { serverId, along = [] } = request;
  const values = [...filterValues(request), serverId];
  if (along.length === 0) return { text: texts.alone, values };
  return { text: texts.along, values: [...values, JSON.stringify(along)] };
}

function filterValues(request: Omit<PlacementRequest, 'serverId'>): readonly unknown[] {
  const { locationId, imageId, memoryMib, vcpus, diskGib, hostId, besideHostId } = request;
  return [imageId, besideHostId ?? null, hostId ?? null, locationId, memoryMib, vcpus, diskGib];
}

/** Whether a server of this size would find a host now. A hint for a shop window: it reserves nothing. */
export async function fits(
  manager: EntityManager,
  request: Omit<PlacementRequest, 'serverId'>,
): Promise<boolean> {
  return (await filterReport(manager, request)).withDisk > 0;
}

async function filterReport(
  manager: EntityManager,
  request: Omit<PlacementRequest, 'serverId'>,
): Promise<FilterReport> {
  const disks = request.along ?? [];
  const along = disks.length > 0 ? '$8' : null;
  const [report] = await manager.query<FilterReport[]>(
    `WITH ${WANTED}
     SELECT count(*) AS hosts,
            count(*) FILTER (WHERE active) AS active,
            count(*) FILTER (WHERE active AND located) AS "inLocation",
            count(*) FILTER (WHERE active AND located AND reaches) AS "inReach",
            count(*) FILTER (WHERE active AND located AND reaches AND imaged) AS "withImage",
            count(*) FILTER (WHERE active AND located AND reaches AND imaged AND memory) AS "withMemory",
            count(*) FILTER (WHERE active AND located AND reaches AND imaged AND memory AND vcpus) AS "withVcpus",
            count(*) FILTER (WHERE active AND located AND reaches AND imaged AND memory AND vcpus AND disk) AS "withDisk"
     FROM (
       SELECT h.state = 'active' AS active, h.location_id = $4 AS located, ${REACHES} AND ${reachesAll(along)} AS reaches,
              ${HAS_IMAGE} AS imaged,
              h.memory_mib - h.used_memory_mib >= $5 AS memory,
              h.vcpus - h.used_vcpus >= $6 AS vcpus,
              h.disk_gib - h.used_disk_gib >= ${diskWith(along)} AS disk
       FROM hosts h
     ) AS h`,
    [...filterValues(request), ...(along ? [JSON.stringify(disks)] : [])],
  );
  if (!report) throw new Error('an aggregate without GROUP BY has one row');
  return report;
}
