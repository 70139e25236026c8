import type { DataSource } from 'typeorm';
import type { HostRef, Hypervisor } from '#libs/hypervisor';
import type { Host } from '#libs/placement';

/** What reconciling one host works with. */
export interface HostWorld {
  readonly dataSource: DataSource;
  readonly hypervisor: Hypervisor;
  readonly host: Host;
  readonly ref: HostRef;
  /** Seeds that are erased, and that their guests have not let go of. */
  readonly heldSeeds: Set<string>;
  /** Servers that ran, and went down with the host. */
  readonly wentDown: KnownServer[];
}

/** A server as the reconciler looks at it. `busy`: a workflow of it has not ended, so it is left alone. */
export interface KnownServer {
  readonly id: number;
  readonly uuid: string;
  readonly hostId: number | null;
  readonly generation: number;
  readonly observed: string;
  readonly deleted: boolean;
  readonly ready: boolean;
  readonly busy: boolean;
}

const COLUMNS = `s.id, s.domain_uuid AS uuid, s.host_id AS "hostId", s.generation, s.observed,
  s.deleted_at IS NOT NULL AS deleted, s.ready_at IS NOT NULL AS ready,
  EXISTS (SELECT 1 FROM sagas g WHERE g.subject_type = 'server' AND g.subject_id = s.id
          AND g.finished_at IS NULL) AS busy`;

export function serversByUuid(dataSource: DataSource, uuids: readonly string[]): Promise<KnownServer[]> {
  return dataSource.query(`SELECT ${COLUMNS} FROM servers s WHERE s.domain_uuid = ANY($1::uuid[])`, [uuids]);
}

export function serversById(dataSource: DataSource, ids: readonly number[]): Promise<KnownServer[]> {
  return dataSource.query(`SELECT ${COLUMNS} FROM servers s WHERE s.id = ANY($1::bigint[])`, [ids]);
}

/** Asked again right before anything of a server is changed: a workflow may have begun since it was looked at. */
export async function isStillIdle(dataSource: DataSource, { id }: Pick<KnownServer, 'id'>): Promise<boolean> {
  const [server] = await serversById(dataSource, [id]);
  return server !== undefined && !server.busy;
}

/** Finished servers that should have a domain on this host. */
export function serversOfHost(dataSource: DataSource, hostId: number): Promise<KnownServer[]> {
  return dataSource.query(
    `SELECT ${COLUMNS} FROM servers s WHERE s.host_id = $1 AND s.deleted_at IS NULL AND s.ready_at IS NOT NULL`,
    [hostId],
  );
}
