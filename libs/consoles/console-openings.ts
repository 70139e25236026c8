import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { AuditService, hashToken } from '#libs/accounts';
import { runInTransaction } from '#libs/database';
import { ConsolePasswords } from './console-passwords.ts';
import type { ConsoleActor, ConsoleKind } from './console-requests.ts';
import { consoleRefused } from './consoles.errors.ts';

/** What came with a token. */
export interface Presented {
  readonly token: string;
  readonly serverId: number;
  /** Of the page that opens it; undefined for programs. */
  readonly origin: string | undefined;
  /** The storefront's, `https://servers.example.org`. */
  readonly ownOrigin: string;
  readonly sessionToken: string | undefined;
  readonly apiToken: string | undefined;
  readonly ip: string | null;
}

export interface OpenedConsole {
  readonly id: number;
  readonly serverId: number;
  readonly kind: ConsoleKind;
  readonly password: string;
  readonly domainUuid: string;
  /** Null where the server has lost its place. */
  readonly hostId: number | null;
}

/** Why a console is open no more. */
export type ConsoleCut = 'server_deleted' | 'server_suspended' | 'access_lost' | 'opened_elsewhere';

interface ConsoleRow {
  readonly id: number;
  readonly account_id: number;
  readonly project_id: number;
  readonly server_id: number;
  readonly kind: ConsoleKind;
  readonly actor_kind: ConsoleActor['kind'];
  readonly actor_id: number;
  readonly origin: string | null;
}

/** What stands against open consoles, and null where nothing does: `$1` are their ids. */
const CUTS = `
  SELECT c.id, CASE
    WHEN s.deleted_at IS NOT NULL OR s.desired = 'deleted' OR s.project_id <> c.project_id THEN 'server_deleted'
    WHEN EXISTS (SELECT FROM account_suspensions WHERE account_id = s.account_id AND lifted_at IS NULL)
      OR EXISTS (SELECT FROM server_suspensions WHERE server_id = s.id) THEN 'server_suspended'
    WHEN NOT CASE c.actor_kind
      WHEN 'token' THEN EXISTS (SELECT FROM api_tokens WHERE id = c.actor_id AND revoked_at IS NULL)
      ELSE EXISTS (SELECT FROM sessions WHERE id = c.actor_id AND expires_at > now()) END THEN 'access_lost'
    WHEN c.closed_at IS NOT NULL THEN 'opened_elsewhere'
  END AS cut
  FROM consoles c JOIN servers s ON s.id = c.server_id WHERE c.id = ANY($1)`;

/** Turns tokens into open consoles, and says when one has to go. */
@Injectable()
export class ConsoleOpenings {
  constructor(
    private readonly dataSource: DataSource,
    private readonly passwords: ConsolePasswords,
    private readonly audit: AuditService,
  ) {}

  /**
   * A token is used up by this call, whoever makes it: one that comes from the wrong place has leaked. Of each kind a server
   * has one console open, the newest.
   * @throws ConsolesError `console_refused`
   */
  async open(presented: Presented): Promise<OpenedConsole> {
    const opened = await runInTransaction(this.dataSource, async (manager) => {
      const row = await useUp(manager, presented.token);
      if (!row) return undefined;
      if (!(await mayOpen(manager, row, presented))) {
        await close(manager, row.id);
        return undefined;
      }
      return this.begin(manager, row, presented);
    });
    if (!opened) throw consoleRefused();
    return opened;
  }

  /** Which of the open consoles `ids` have to be cut, and why. */
  async cuts(ids: readonly number[]): Promise<ReadonlyMap<number, ConsoleCut>> {
    const rows = await this.dataSource.query<{ id: number; cut: ConsoleCut | null }[]>(CUTS, [ids]);
    return new Map(rows.flatMap(({ id, cut }) => (cut === null ? [] : [[id, cut]])));
  }

  /** Success where it is closed already. */
  async close(id: number): Promise<void> {
    await close(this.dataSource.manager, id);
  }

  private async begin(
    manager: EntityManager,
    row: ConsoleRow,
    { token, ip }: Presented,
  ): Promise<OpenedConsole> {
    const { id, server_id: serverId, account_id: accountId, kind } = row;
    await manager.query(
      `UPDATE consoles SET closed_at = now()
       WHERE server_id = $1 AND kind = $2 AND id <> $3 AND opened_at IS NOT NULL AND closed_at IS NULL`,
      [serverId, kind, id],
    );
    const subject = { subjectKind: 'server', subjectId: serverId };
    const actor = { accountId, actorKind: row.actor_kind, actorId: row.actor_id };
    await this.audit.record(
      { ...actor, ...subject, action: 'server.open_console', detail: { kind }, ip },
      manager,
    );
    const [server] = await manager.query<{ domainUuid: string; hostId: number | null }[]>(
      'SELECT domain_uuid AS "domainUuid", host_id AS "hostId" FROM servers WHERE id = $1',
      [serverId],
    );
    const { domainUuid = '', hostId = null } = server ?? {};
    return { id, serverId, kind, password: this.passwords.of(token), domainUuid, hostId };
  }
}

async function useUp(manager: EntityManager, token: string): Promise<ConsoleRow | undefined> {
  const [[row]] = await manager.query<[ConsoleRow[], number]>(
    `UPDATE consoles SET opened_at = now() WHERE token_hash = $1 AND opened_at IS NULL AND expires_at > now()
     RETURNING id, account_id, project_id, server_id, kind, actor_kind, actor_id, origin`,
    [hashToken(token)],
  );
  return row;
}

async function close(manager: EntityManager, id: number): Promise<void> {
  await manager.query('UPDATE consoles SET closed_at = now() WHERE id = $1 AND closed_at IS NULL', [id]);
}

async function mayOpen(manager: EntityManager, row: ConsoleRow, presented: Presented): Promise<boolean> {
  if (presented.serverId !== row.server_id || !isFrom(row, presented)) return false;
  if (!(await isOfTenant(manager, row, presented))) return false;
  const [found] = await manager.query<{ cut: ConsoleCut | null }[]>(CUTS, [[row.id]]);
  return found?.cut === null;
}

function isFrom(row: ConsoleRow, { origin, ownOrigin }: Presented): boolean {
  if (row.origin !== null) return origin === row.origin;
  return origin === undefined || origin === ownOrigin;
}

/** A person opens it in the session in which they asked for it; a program may show nothing, or what is of the project. */
async function isOfTenant(
  manager: EntityManager,
  row: ConsoleRow,
  { sessionToken, apiToken }: Presented,
): Promise<boolean> {
  const [found] = await manager.query<{ session: boolean; token: boolean }[]>(
    `SELECT EXISTS (SELECT FROM sessions WHERE token_hash = $1 AND expires_at > now() AND account_id = $3
                    AND ($4 = 'token' OR id = $5)) AS session,
            EXISTS (SELECT FROM api_tokens WHERE token_hash = $2 AND revoked_at IS NULL AND project_id = $6) AS token`,
    [
      ...[hashToken(sessionToken ?? ''), hashToken(apiToken ?? '')],
      ...[row.account_id, row.actor_kind, row.actor_id, row.project_id],
    ],
  );
  if (!found) return false;
  if (row.actor_kind !== 'token') return found.session;
  return (sessionToken === undefined || found.session) && (apiToken === undefined || found.token);
}
