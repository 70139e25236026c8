import type { EntityManager } from 'typeorm';
import { runInTransaction, runStatement } from '#libs/database';
import { type AddressRun, assertInNetwork, type Network } from './address-run.ts';
import { NetworksError } from './networks.errors.ts';

/** A server's place on the network. `prefixLength` is 0–32. */
export interface Address {
  readonly ip: string;
  readonly prefixLength: number;
  readonly gateway: string;
  readonly mac: string;
  /** False: another server has it, whose exact copy this one is. */
  readonly isHeld: boolean;
}

const COLUMNS = `host(ip) AS ip, prefix_length AS "prefixLength", host(gateway) AS gateway, mac::text AS mac,
  server_id IS NOT DISTINCT FROM $1 AS "isHeld"`;

const CLAIM = `
  WITH held AS (SELECT * FROM addresses WHERE server_id = $1),
  claimed AS (
    UPDATE addresses SET server_id = $1, released_at = NULL
    WHERE ip = (SELECT ip FROM addresses
                WHERE server_id IS NULL AND location_id = $2 AND NOT EXISTS (SELECT FROM held)
                  AND NOT EXISTS (SELECT FROM address_heirs h WHERE h.ip = addresses.ip)
                  AND NOT EXISTS (SELECT FROM stray_addresses s WHERE s.ip = addresses.ip)
                ORDER BY released_at NULLS FIRST, ip LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING *
  )
  SELECT ${COLUMNS} FROM held UNION ALL SELECT ${COLUMNS} FROM claimed`;

/**
 * Claims an address of the location within the caller's transaction; a server that has one keeps it. The
 * address that has been free for longest goes first, so that peers' caches forget its last owner.
 *
 * @throws NetworksError `addresses_exhausted`
 */
export async function claimAddress(
  manager: EntityManager,
  serverId: number,
  locationId: number,
): Promise<Address> {
  const [address] = await runStatement<Address>(manager, { text: CLAIM, values: [serverId, locationId] });
  if (!address) {
    throw new NetworksError('addresses_exhausted', 'no free address is left in this location', {
      locationId,
    });
  }
  return address;
}

const OF_SERVER = `
  SELECT ${COLUMNS} FROM addresses
  WHERE server_id = $1 OR ip = (SELECT ip FROM address_heirs WHERE server_id = $1)`;

/** The address that a server has, or the one of its original that it waits for. */
export async function addressOf(manager: EntityManager, serverId: number): Promise<Address | undefined> {
  const [address] = await manager.query<Address[]>(OF_SERVER, [serverId]);
  return address;
}

/**
 * A server's address will be an exact copy's too, once the server has given it back: nobody else gets it then.
 * @throws NetworksError `addresses_exhausted` when the original has none
 */
export async function inheritAddress(
  manager: EntityManager,
  heirId: number,
  originalId: number,
): Promise<void> {
  // Locked, so that it is not taken out of its pool in between.
  const [address] = await manager.query<Address[]>(`${OF_SERVER} FOR KEY SHARE`, [originalId]);
  if (!address) throw new NetworksError('addresses_exhausted', `server ${originalId} has no address`);
  await manager.query(
    'INSERT INTO address_heirs (server_id, ip) VALUES ($1, $2) ON CONFLICT (server_id) DO NOTHING',
    [heirId, address.ip],
  );
}

/**
 * An exact copy gets the address that it waited for; a server that has one keeps it.
 * @throws NetworksError `address_in_use` while another server has it
 */
export async function takeInheritedAddress(manager: EntityManager, serverId: number): Promise<Address> {
  await manager.query(
    `UPDATE addresses SET server_id = $1, released_at = NULL
     WHERE server_id IS NULL AND ip = (SELECT ip FROM address_heirs WHERE server_id = $1)`,
    [serverId],
  );
  const address = await addressOf(manager, serverId);
  if (!address?.isHeld) {
    const message = `another server has the address ${address?.ip}: it can be taken over when that one is deleted`;
    throw new NetworksError('address_in_use', message);
  }
  await manager.query('DELETE FROM address_heirs WHERE server_id = $1', [serverId]);
  return address;
}

/** Gives a server's address back, or waits for none any more; success where it has none. */
export async function releaseAddress(manager: EntityManager, serverId: number): Promise<void> {
  await manager.query(`UPDATE addresses SET server_id = NULL, released_at = now() WHERE server_id = $1`, [
    serverId,
  ]);
  await manager.query('DELETE FROM address_heirs WHERE server_id = $1', [serverId]);
}

/**
 * Adds a run of addresses to a location's pool and returns how many; those already in a pool stay as they are. MAC
 * addresses are locally administered and carry the whole address, so no two are alike.
 * @throws NetworksError `address_run_invalid` when the run does not fit its network
 */
export async function addAddresses(
  manager: EntityManager,
  pool: AddressRun & Network & { readonly locationId: number },
): Promise<number> {
  assertInNetwork(pool, pool);
  const [added] = await manager.query<{ count: number }[]>(
    `WITH added AS (
       INSERT INTO addresses (ip, prefix_length, gateway, mac, location_id)
       SELECT a.ip, $4, $5::inet,
              ('52:53' || regexp_replace(lpad(to_hex(a.ip - inet '0.0.0.0'), 8, '0'), '(..)', ':\\1', 'g'))::macaddr,
              $1
       FROM (SELECT $2::inet + n AS ip FROM generate_series(0, $3::int - 1) AS n) AS a
       ON CONFLICT (ip) DO NOTHING RETURNING 1)
     SELECT count(*) AS count FROM added`,
    [pool.locationId, pool.firstIp, pool.count, pool.prefixLength, pool.gateway],
  );
  return added?.count ?? 0;
}

/**
 * Takes a run out of its pool, all of it or nothing, and returns how many there were in which locations.
 * @throws NetworksError `addresses_in_use`, with those that servers have
 */
export function removeAddresses(
  manager: EntityManager,
  { firstIp, count }: AddressRun,
): Promise<ReadonlyMap<number, number>> {
  return runInTransaction(manager, async (within) => {
    const run = 'ip BETWEEN $1::inet AND $1::inet + ($2::int - 1)';
    const rows = await within.query<{ locationId: number }[]>(
      `SELECT location_id AS "locationId" FROM addresses WHERE ${run} ORDER BY ip FOR UPDATE`,
      [firstIp, count],
    );
    // Only what is asked once they are locked sees who came to have or to inherit one before.
    const taken = await within.query<{ ip: string }[]>(
      `SELECT host(ip) AS ip FROM addresses WHERE ${run}
       AND (server_id IS NOT NULL OR EXISTS (SELECT FROM address_heirs h WHERE h.ip = addresses.ip)
            OR EXISTS (SELECT FROM stray_addresses s WHERE s.ip = addresses.ip)) ORDER BY addresses.ip`,
      [firstIp, count],
    );
    const used = taken.map(({ ip }) => ip);
    if (used.length > 0) {
      const some = used.slice(0, 5).join(', ') + (used.length > 5 ? ', …' : '');
      throw new NetworksError('addresses_in_use', `${used.length} of them belong to servers: ${some}`, {
        used,
      });
    }
    await within.query(`DELETE FROM addresses WHERE ${run}`, [firstIp, count]);
    const byLocation = Map.groupBy(rows, ({ locationId }) => locationId);
    return new Map([...byLocation].map(([locationId, removed]) => [locationId, removed.length]));
  });
}

/** The addresses of one network in one location. */
export interface AddressPool extends Network {
  readonly location: string;
  readonly firstIp: string;
  readonly lastIp: string;
  readonly total: number;
  /** Those that nobody has or waits for, and no machine that the database does not know. */
  readonly free: number;
}

export function addressPools(manager: EntityManager): Promise<AddressPool[]> {
  return manager.query<AddressPool[]>(
    `SELECT l.name AS location, host(min(a.ip)) AS "firstIp", host(max(a.ip)) AS "lastIp",
            a.prefix_length AS "prefixLength", host(a.gateway) AS gateway,
            count(*) AS total,
            count(*) FILTER (WHERE a.server_id IS NULL
              AND NOT EXISTS (SELECT FROM address_heirs h WHERE h.ip = a.ip)
              AND NOT EXISTS (SELECT FROM stray_addresses s WHERE s.ip = a.ip)) AS free
     FROM addresses a JOIN locations l ON l.id = a.location_id
     GROUP BY l.name, a.prefix_length, a.gateway ORDER BY l.name, min(a.ip)`,
  );
}
