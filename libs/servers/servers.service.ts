import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager, In, IsNull } from 'typeorm';
import type { SuspensionReason } from '#libs/accounts';
import { isUniqueViolation } from '#libs/database';
import { firstPage, type ListQuery, type Page, pageOf } from '#libs/listing';
import { BackupPlan } from './backup-plan.entity.ts';
import type { Rescue } from './rescue.entity.ts';
import { rescuesByServer } from './rescue-state.ts';
import type { CredentialsState } from './secrets.store.ts';
import { Server } from './server.entity.ts';
import { ServersError } from './servers.errors.ts';
import { isRetired } from './suspension-state.ts';

/** What changes about a server beside its row. */
export interface ServerFacts {
  /** An action is running on it: others are refused until it ends. */
  readonly locked: boolean;
  readonly orderId: number | null;
  readonly credentials: CredentialsState;
  readonly credentialsExpireAt: Date | null;
  /** The secrets of its application. */
  readonly application: CredentialsState;
  readonly applicationExpiresAt: Date | null;
  readonly suspension: ServerSuspension | null;
  readonly backupPlan: BackupPlan | null;
  /** The rescue system that its next boot is from. */
  readonly waitingRescue: Rescue | null;
  /** The one that it has booted from. */
  readonly runningRescue: Rescue | null;
}

/** That a server is kept off, and why; no reason when it is just being brought back. */
export interface ServerSuspension {
  readonly reasons: readonly SuspensionReason[];
  readonly since: Date;
}

const RETIRED = 'SELECT 1 FROM server_suspensions WHERE retired_at IS NOT NULL AND server_id =';

/** Reads servers and changes what needs no host: name and labels. */
@Injectable()
export class ServersService {
  constructor(private readonly dataSource: DataSource) {}

  /** Filters: name, status. Sorts: id, name, created. Deleted servers are not listed. */
  list(projectId: number, query: ListQuery = firstPage): Promise<Page<Server>> {
    const builder = this.dataSource
      .getRepository(Server)
      .createQueryBuilder('server')
      .where('server.projectId = :projectId', { projectId })
      .andWhere('server.deletedAt IS NULL')
      .andWhere(`NOT EXISTS (${RETIRED} server.id)`);
    return pageOf(builder, query, {
      id: 'server.id',
      labels: 'server.labels',
      filters: { name: 'server.name', status: 'server.observed' },
      sorts: { id: 'server.id', name: 'server.name', created: 'server.createdAt' },
    });
  }

  /** @throws ServersError `server_not_found`, also when it is another project's */
  async get(projectId: number, id: number): Promise<Server> {
    const server = await this.dataSource
      .getRepository(Server)
      .findOneBy({ id, projectId, deletedAt: IsNull() });
    if (!server || (await isRetired(this.dataSource.manager, id)))
      throw new ServersError('server_not_found', `there is no server ${id}`);
    return server;
  }

  /** @throws ServersError `server_not_found`, `server_name_taken` */
  async update(
    projectId: number,
    id: number,
    change: { name?: string; labels?: Record<string, string> },
  ): Promise<Server> {
    const server = await this.get(projectId, id);
    if (Object.keys(change).length === 0) return server;
    const { name = server.name } = change;
    try {
      await this.dataSource.getRepository(Server).update({ id, projectId }, change);
    } catch (error) {
      throw isUniqueViolation(error, 'servers_name_in_project') ? nameTaken(name) : error;
    }
    return this.get(projectId, id);
  }

  /** Facts by server id, for any number of servers at once. */
  async factsOf(servers: readonly Server[]): Promise<ReadonlyMap<number, ServerFacts>> {
    const ids = servers.map(({ id }) => id);
    const plans = await this.dataSource.getRepository(BackupPlan).findBy({ serverId: In(ids) });
    const rescues = await rescuesByServer(this.dataSource.manager, ids);
    const rows = await this.dataSource.query<(FactsRow & { id: number })[]>(
      `SELECT s.id, o.id AS "orderId",
              EXISTS (SELECT 1 FROM actions a WHERE a.server_id = s.id AND a.status = 'running') AS locked,
              p.server_id IS NOT NULL AS "hasPassword", p.revealed_at AS "revealedAt", p.expires_at AS "expiresAt",
              q.server_id IS NOT NULL AS "hasApplication", q.revealed_at AS "applicationRevealedAt",
              q.expires_at AS "applicationExpiresAt",
              s.ready_at IS NOT NULL AS ready, r.reasons AS "suspensionReasons",
              coalesce(x.begun_at, r.since) AS "suspendedSince"
       FROM servers s
       LEFT JOIN server_suspensions x ON x.server_id = s.id
       LEFT JOIN LATERAL (SELECT array_agg(reason ORDER BY since) AS reasons, min(since) AS since
                          FROM account_suspensions WHERE account_id = s.account_id AND lifted_at IS NULL) r ON true
       LEFT JOIN orders o ON o.server_id = s.id
       LEFT JOIN server_secrets p ON p.server_id = s.id AND p.kind = 'root_password'
       LEFT JOIN server_secrets q ON q.server_id = s.id AND q.kind = 'application'
       WHERE s.id = ANY($1)`,
      [ids],
    );
    return new Map(
      rows.map((row) => [
        row.id,
        {
          locked: row.locked,
          orderId: row.orderId,
          credentials: credentialsState({ ...row, isThere: row.hasPassword }),
          credentialsExpireAt: row.revealedAt ? null : row.expiresAt,
          application: credentialsState({
            isThere: row.hasApplication,
            revealedAt: row.applicationRevealedAt,
            expiresAt: row.applicationExpiresAt,
            ready: row.ready,
          }),
          applicationExpiresAt: row.applicationRevealedAt ? null : row.applicationExpiresAt,
          suspension: row.suspendedSince && {
            reasons: row.suspensionReasons ?? [],
            since: row.suspendedSince,
          },
          backupPlan: plans.find(({ serverId }) => serverId === row.id) ?? null,
          waitingRescue: rescues.get(row.id)?.waiting ?? null,
          runningRescue: rescues.get(row.id)?.running ?? null,
        },
      ]),
    );
  }
}

/** The row of a live server within a transaction, locked until it ends. */
export async function lockServer(manager: EntityManager, id: number): Promise<Server> {
  const server = await manager
    .getRepository(Server)
    .findOne({ where: { id }, lock: { mode: 'pessimistic_write' } });
  if (!server) throw new ServersError('server_not_found', `there is no server ${id}`);
  return server;
}

export function nameTaken(name: string): ServersError {
  return new ServersError(
    'server_name_taken',
    `the name "${name}" is taken by another server of this project`,
    'name',
  );
}

interface FactsRow {
  readonly orderId: number | null;
  readonly locked: boolean;
  readonly hasPassword: boolean;
  readonly revealedAt: Date | null;
  readonly expiresAt: Date | null;
  readonly hasApplication: boolean;
  readonly applicationRevealedAt: Date | null;
  readonly applicationExpiresAt: Date | null;
  readonly ready: boolean;
  readonly suspensionReasons: readonly SuspensionReason[] | null;
  readonly suspendedSince: Date | null;
}

function credentialsState({
  isThere,
  revealedAt,
  expiresAt,
  ready,
}: Pick<FactsRow, 'revealedAt' | 'expiresAt' | 'ready'> & { readonly isThere: boolean }): CredentialsState {
  if (!isThere) return 'none';
  if (revealedAt) return 'revealed';
  if (expiresAt && expiresAt < new Date()) return 'expired';
  return ready ? 'available' : 'pending';
}
