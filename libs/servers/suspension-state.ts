import type { EntityManager } from 'typeorm';

/** Where a server should be by what stands against its account. `purged`: it is to be deleted for good. */
export type WantedStanding = 'free' | 'suspended' | 'retired' | 'purged';
/** Where it is. `between`: a suspension has begun and not ended, or somebody switched it on all the same. */
export type FoundStanding = 'free' | 'between' | 'suspended' | 'retired';

/** A server and what its account's suspensions make of it. */
export interface ServerStanding {
  readonly serverId: number;
  readonly projectId: number;
  readonly wanted: WantedStanding;
  readonly found: FoundStanding;
  /** What it did when its suspension began; null when none has. */
  readonly powerBefore: 'running' | 'off' | null;
}

/** Finished servers that nobody has asked to delete. An account that does not pay is led from standing to standing. */
const STANDINGS = `
  SELECT s.id AS "serverId", s.project_id AS "projectId", x.power_before AS "powerBefore",
         CASE WHEN a.step = 'purge' THEN 'purged' WHEN a.step = 'soft_deletion' THEN 'retired'
              WHEN EXISTS (SELECT 1 FROM account_suspensions r WHERE r.account_id = s.account_id AND r.lifted_at IS NULL)
              THEN 'suspended' ELSE 'free' END AS wanted,
         CASE WHEN x.server_id IS NULL THEN 'free' WHEN s.observed = 'running' THEN 'between'
              WHEN x.retired_at IS NOT NULL THEN 'retired' WHEN x.suspended_at IS NOT NULL THEN 'suspended'
              ELSE 'between' END AS found
  FROM servers s
  LEFT JOIN server_suspensions x ON x.server_id = s.id
  LEFT JOIN arrears a ON a.account_id = s.account_id AND a.closed_at IS NULL
  WHERE s.deleted_at IS NULL AND s.desired <> 'deleted' AND s.ready_at IS NOT NULL`;

/** Undefined for a server that is being made or deleted: suspensions do not concern it (yet, or any more). */
export async function standingOf(
  manager: EntityManager,
  serverId: number,
): Promise<ServerStanding | undefined> {
  const [standing] = await manager.query<ServerStanding[]>(`${STANDINGS} AND s.id = $1`, [serverId]);
  return standing;
}

/** Servers that are not where they should be and that no workflow of `sagaNames` is at; of one account, or of all. */
export async function misplacedServers(
  manager: EntityManager,
  sagaNames: readonly string[],
  accountId?: number,
): Promise<readonly number[]> {
  const rows = await manager.query<ServerStanding[]>(
    `SELECT * FROM (${STANDINGS} AND ($2::bigint IS NULL OR s.account_id = $2)
       AND (x.server_id IS NOT NULL OR s.account_id IN
            (SELECT account_id FROM account_suspensions WHERE lifted_at IS NULL))) AS t
     WHERE wanted <> found AND NOT EXISTS (
       SELECT 1 FROM sagas g WHERE g.subject_type = 'server' AND g.subject_id = t."serverId"
         AND g.finished_at IS NULL AND g.name = ANY($1))
     ORDER BY "serverId"`,
    [sagaNames, accountId ?? null],
  );
  return rows.map(({ serverId }) => serverId);
}

/** How far the suspension of a server has come; undefined when it is as its owner left it. */
export async function suspensionOf(
  manager: EntityManager,
  serverId: number,
): Promise<{ readonly suspendedAt: Date | null; readonly retiredAt: Date | null } | undefined> {
  const [row] = await manager.query<{ suspendedAt: Date | null; retiredAt: Date | null }[]>(
    `SELECT suspended_at AS "suspendedAt", retired_at AS "retiredAt" FROM server_suspensions WHERE server_id = $1`,
    [serverId],
  );
  return row;
}

/** True for a server that is deleted softly: its owner does not see it. */
export async function isRetired(manager: EntityManager, serverId: number): Promise<boolean> {
  const suspension = await suspensionOf(manager, serverId);
  return suspension !== undefined && suspension.retiredAt !== null;
}

/** Its suspension begins: what it does now is what it will do again. What an earlier try noted stays. */
export async function beginSuspension(
  manager: EntityManager,
  serverId: number,
  power: 'running' | 'off',
): Promise<void> {
  await manager.query(
    `INSERT INTO server_suspensions (server_id, power_before) VALUES ($1, $2) ON CONFLICT DO NOTHING`,
    [serverId, power],
  );
}

/** It is off and its network closed. */
export async function noteSuspended(manager: EntityManager, serverId: number): Promise<void> {
  await manager.query(
    'UPDATE server_suspensions SET suspended_at = coalesce(suspended_at, now()) WHERE server_id = $1',
    [serverId],
  );
}

/** It is deleted softly, or its owner sees it again. */
export async function noteRetired(
  manager: EntityManager,
  serverId: number,
  isRetired: boolean,
): Promise<void> {
  await manager.query(
    `UPDATE server_suspensions SET retired_at = CASE WHEN $2 THEN coalesce(retired_at, now()) END WHERE server_id = $1`,
    [serverId, isRetired],
  );
}

/** It is as it was before, or gone for good. */
export async function endSuspension(manager: EntityManager, serverId: number): Promise<void> {
  await manager.query('DELETE FROM server_suspensions WHERE server_id = $1', [serverId]);
}
