import type { EntityManager } from 'typeorm';
import { runStatement } from '#libs/database';
import { DomainError } from '#libs/kernel';

/** A server's place on the network. `prefixLength` is 0–32. */
export interface Address {
  readonly ip: string;
  readonly prefixLength: number;
  readonly gateway: string;
  readonly mac: string;
}

const COLUMNS = `host(ip) AS ip, prefix_length AS "prefixLength", host(gateway) AS gateway, mac::text AS mac`;

const CLAIM = `
  WITH held AS (SELECT * FROM addresses WHERE server_id = $1),
  claimed AS (
    UPDATE addresses SET server_id = $1, released_at = NULL
    WHERE ip = (SELECT ip FROM addresses
                WHERE server_id IS NULL AND location_id = $2 AND NOT EXISTS (SELECT FROM held)
                ORDER BY released_at NULLS FIRST, ip LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING *
  )
  SELECT ${COLUMNS} FROM held UNION ALL SELECT ${COLUMNS} FROM claimed`;

/**
 * Claims an address of the location within the caller's transaction; a server that has one keeps it. The
 * address that has been free for longest goes first, so that peers' caches forget its last owner.
 *
 * @throws DomainError `addresses_exhausted`.
 */
export async function claimAddress(
  manager: EntityManager,
  serverId: number,
  locationId: number,
): Promise<Address> {
  const [address] = await runStatement<Address>(manager, { text: CLAIM, values: [serverId, locationId] });
  if (!address) {
    throw new DomainError('unavailable', 'addresses_exhausted', 'no free address is left in this location', {
      details: { locationId },
    });
  }
  return address;
}

export async function addressOf(manager: EntityManager, serverId: number): Promise<Address | undefined> {
  const [address] = await manager.query<Address[]>(`SELECT ${COLUMNS} FROM addresses WHERE server_id = $1`, [
    serverId,
  ]);
  return address;
}

/** Gives a server's address back; success where it has none. */
export async function releaseAddress(manager: EntityManager, serverId: number): Promise<void> {
  await manager.query(`UPDATE addresses SET server_id = NULL, released_at = now() WHERE server_id = $1`, [
    serverId,
  ]);
}

/**
 * Adds a run of addresses to a location's pool; those already there stay as they are. MAC addresses are
 * QEMU's locally administered prefix with the address's last three bytes, so a pool has no two alike.
 */
export async function addAddresses(
  manager: EntityManager,
  pool: { locationId: number; firstIp: string; count: number; prefixLength: number; gateway: string },
): Promise<void> {
  await manager.query(
    `INSERT INTO addresses (ip, prefix_length, gateway, mac, location_id)
     SELECT a.ip, $4, $5::inet,
            ('52:54:00' || regexp_replace(lpad(to_hex((a.ip - inet '0.0.0.0') & 16777215), 6, '0'), '(..)', ':\\1', 'g'))::macaddr,
            $1
     FROM (SELECT $2::inet + n AS ip FROM generate_series(0, $3::int - 1) AS n) AS a
     ON CONFLICT (ip) DO NOTHING`,
    [pool.locationId, pool.firstIp, pool.count, pool.prefixLength, pool.gateway],
  );
}
