import type { EntityManager } from 'typeorm';
import { runInTransaction } from '#libs/database';

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
  const values = [hostId, rows.map(({ ip }) => ip), rows.map(({ uuid }) => uuid)];
  await runInTransaction(manager, async (within) => {
    await within.query(
      `DELETE FROM stray_addresses WHERE host_id = $1
       AND (ip, domain_uuid) NOT IN (SELECT * FROM unnest($2::inet[], $3::uuid[]))`,
      values,
    );
    await within.query(
      `INSERT INTO stray_addresses (ip, host_id, domain_uuid)
       SELECT s.ip, $1, s.uuid FROM unnest($2::inet[], $3::uuid[]) AS s (ip, uuid) JOIN addresses a USING (ip)
       ON CONFLICT (ip) DO NOTHING`,
      values,
    );
  });
}
