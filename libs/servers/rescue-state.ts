import { type EntityManager, In, IsNull, MoreThan, Not } from 'typeorm';
import { Rescue } from './rescue.entity.ts';
import type { Server } from './server.entity.ts';
import { ServersError } from './servers.errors.ts';

/** How long a rescue system waits for the boot that it is meant for, as at Hetzner. */
const WAITS_MINUTES = 60;

const WAITING = { enabledAt: Not(IsNull()), bootedAt: IsNull(), endedAt: IsNull() } as const;
const RUNNING = { bootedAt: Not(IsNull()), endedAt: IsNull() } as const;

/** What the server's next boot is from; null: its own disk. */
export function waitingRescue(manager: EntityManager, serverId: number): Promise<Rescue | null> {
  return manager.getRepository(Rescue).findOneBy({ serverId, ...WAITING, expiresAt: MoreThan(new Date()) });
}

/** What the server has booted from; null: its own disk. */
export function runningRescue(manager: EntityManager, serverId: number): Promise<Rescue | null> {
  return manager.getRepository(Rescue).findOneBy({ serverId, ...RUNNING });
}

/** Those that wait or run, by server. */
export async function rescuesByServer(
  manager: EntityManager,
  serverIds: readonly number[],
): Promise<ReadonlyMap<number, { readonly waiting: Rescue | null; readonly running: Rescue | null }>> {
  const of = { serverId: In([...serverIds]) };
  const waits = { ...of, ...WAITING, expiresAt: MoreThan(new Date()) };
  const found = await manager.getRepository(Rescue).findBy([waits, { ...of, ...RUNNING }]);
  return new Map(
    serverIds.map((id) => {
      const own = found.filter(({ serverId }) => serverId === id);
      const waiting = own.find(({ bootedAt }) => bootedAt === null) ?? null;
      return [id, { waiting, running: own.find(({ bootedAt }) => bootedAt !== null) ?? null }];
    }),
  );
}

/** What would work on the server's own system is refused while that does not run. @throws ServersError `server_in_rescue` */
export async function refuseInRescue(manager: EntityManager, { id }: Pick<Server, 'id'>): Promise<void> {
  if (!(await runningRescue(manager, id))) return;
  const message =
    'the server is in its rescue system: reset or power-cycle it, so that it starts from its own disk';
  throw new ServersError('server_in_rescue', message);
}

/** The server's next boot is from it, in place of what else waited for that. */
export async function noteEnabled(manager: EntityManager, { id, serverId }: Pick<Rescue, 'id' | 'serverId'>) {
  await endWaiting(manager, serverId);
  await manager.query(
    `UPDATE rescues SET enabled_at = now(), expires_at = now() + make_interval(mins => $2) WHERE id = $1`,
    [id, WAITS_MINUTES],
  );
}

/** Nothing waits for the server's next boot any more. */
export async function endWaiting(manager: EntityManager, serverId: number): Promise<void> {
  await manager.query(
    `UPDATE rescues SET ended_at = now()
     WHERE server_id = $1 AND enabled_at IS NOT NULL AND booted_at IS NULL AND ended_at IS NULL`,
    [serverId],
  );
}

/** The server has booted: from `into`, or its own disk where that is null; what it ran from before has ended. */
export async function noteBooted(
  manager: EntityManager,
  serverId: number,
  into: number | null,
): Promise<void> {
  await manager.query(
    `UPDATE rescues SET ended_at = now() WHERE server_id = $1 AND booted_at IS NOT NULL AND ended_at IS NULL`,
    [serverId],
  );
  if (into !== null) await manager.query('UPDATE rescues SET booted_at = now() WHERE id = $1', [into]);
}

/** Ends whatever the server has of rescue systems, for it goes. */
export async function endAllRescues(manager: EntityManager, serverId: number): Promise<void> {
  await manager.query('UPDATE rescues SET ended_at = coalesce(ended_at, now()) WHERE server_id = $1', [
    serverId,
  ]);
}

/** Those of the server that may still have volumes. */
export function unremovedRescues(manager: EntityManager, serverId: number): Promise<Rescue[]> {
  return manager.getRepository(Rescue).findBy({ serverId, removedAt: IsNull() });
}

/** The volumes of those are gone. */
export async function noteRescuesRemoved(manager: EntityManager, ids: readonly number[]): Promise<void> {
  await manager.query('UPDATE rescues SET removed_at = now() WHERE id = ANY($1) AND ended_at IS NOT NULL', [
    ids,
  ]);
}

/** Whether each of those that exist is still needed, or something of its server is at work. */
export function rescuesAmong(
  manager: EntityManager,
  ids: readonly number[],
): Promise<{ readonly id: number; readonly isNeeded: boolean }[]> {
  return manager.query(
    `SELECT r.id, r.ended_at IS NULL OR EXISTS (
              SELECT FROM sagas g WHERE g.subject_type = 'server' AND g.subject_id = r.server_id
              AND g.finished_at IS NULL) AS "isNeeded"
     FROM rescues r WHERE r.id = ANY($1)`,
    [ids],
  );
}
