import type { DataSource } from 'typeorm';
import type { NewFinding } from '#libs/placement';

/** A server or a volume that is gone, or never was, or a workflow that has ended, and for which nothing works any more. */
const WITHOUT_OWNER = `NOT EXISTS (SELECT 1 FROM servers s WHERE s.id = x.server_id AND s.deleted_at IS NULL)
  AND NOT EXISTS (SELECT 1 FROM volumes v WHERE v.id = x.server_id AND v.deleted_at IS NULL)
  AND NOT EXISTS (SELECT 1 FROM sagas g WHERE g.subject_type IN ('server', 'restore_test', 'volume')
                  AND g.subject_id = x.server_id AND g.finished_at IS NULL)
  AND NOT EXISTS (SELECT 1 FROM sagas g WHERE g.id = x.server_id AND g.finished_at IS NULL)`;

/** Addresses and reservations that no server owns, and sagas that need the operator. Reports; changes nothing. */
export async function reconcileBookkeeping(dataSource: DataSource): Promise<NewFinding[]> {
  const addresses = await dataSource.query<{ subject: string; serverId: number }[]>(
    `SELECT host(x.ip) AS subject, x.server_id AS "serverId" FROM addresses x
     WHERE x.server_id IS NOT NULL AND ${WITHOUT_OWNER}`,
  );
  const reservations = await dataSource.query<{ subject: string; serverId: number }[]>(
    `SELECT x.server_id::text AS subject, x.server_id AS "serverId" FROM reservations x WHERE ${WITHOUT_OWNER}`,
  );
  const stuck = await dataSource.query<{ subject: string; name: string; step: string; error: unknown }[]>(
    `SELECT id::text AS subject, name, step, error FROM sagas WHERE state = 'stuck'`,
  );
  const own = { hostId: null };
  return [
    ...addresses.map(({ subject, ...details }) => ({
      ...own,
      kind: 'orphan_address' as const,
      subject,
      details,
    })),
    ...reservations.map(({ subject, ...details }) => ({
      ...own,
      kind: 'orphan_reservation' as const,
      subject,
      details,
    })),
    ...stuck.map(({ subject, ...details }) => ({ ...own, kind: 'stuck_saga' as const, subject, details })),
  ];
}
