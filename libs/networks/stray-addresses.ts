import type { EntityManager } from 'typeorm';

/** A domain with our mark that no server owns, and the addresses that it may send from. */
export interface Stray {
  readonly uuid: string;
  readonly addresses: readonly string[];
}

/**
 * Gives nobody the addresses of a host's strays for as long as they are there: they may be servers that a restored backup
 * of the database does not know. Those of domains that are not among `strays` any more are free again.
 */
export async function holdStrayAddresses(
  manager: EntityManager,
  hostId: number,
  strays: readonly Stray[],
): Promise<void> {
  const rows = strays.flatMap(({ uuid, addresses }) => addresses.map((ip) => ({ uuid, ip })));
  await manager.query(
    `WITH seen AS (SELECT * FROM unnest($2::inet[], $3::uuid[]) AS s (ip, uuid)),
     gone AS (DELETE FROM stray_addresses WHERE host_id = $1 AND (ip, domain_uuid) NOT IN (SELECT * FROM seen))
     INSERT INTO stray_addresses (ip, host_id, domain_uuid)
     SELECT seen.ip, $1, seen.uuid FROM seen JOIN addresses USING (ip) ON CONFLICT (ip) DO NOTHING`,
    [hostId, rows.map(({ ip }) => ip), rows.map(({ uuid }) => uuid)],
  );
}
