import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { hashToken, newToken } from '#libs/accounts';
import { runInTransaction } from '#libs/database';
import { newId } from '#libs/kernel';
import { type Action, ownServer, recordDone, refuseWhileSuspended, ServersError } from '#libs/servers';
import { ConsolePasswords } from './console-passwords.ts';

export type ConsoleKind = 'serial' | 'vnc';

/** Who asks for a console: it lasts no longer than their session or API token. */
export interface ConsoleActor {
  readonly kind: 'session' | 'operator' | 'token';
  readonly id: number;
}

export interface NewConsole {
  readonly accountId: number;
  readonly projectId: number;
  readonly serverId: number;
  readonly kind: ConsoleKind;
  readonly actor: ConsoleActor;
  /** Of the one page that may open it (`https://panel.example`); null: of the storefront, and programs, which have none. */
  readonly origin: string | null;
}

/** How long a console may be opened. */
export const CONSOLE_TOKEN_SECONDS = 60;

/** Hands out one-time tokens for consoles. */
@Injectable()
export class ConsoleRequests {
  constructor(
    private readonly dataSource: DataSource,
    private readonly passwords: ConsolePasswords,
  ) {}

  /**
   * Token and password are in this answer only. Also while something else is done to the server: that is when one wants to
   * look.
   * @throws ServersError `server_not_found`, `server_not_ready`, `server_suspended`, `server_locked` (it is being deleted),
   * `server_must_run`
   */
  async request(
    wanted: NewConsole,
  ): Promise<{ readonly action: Action; readonly token: string; readonly password: string }> {
    const { accountId, projectId, serverId, kind, actor, origin } = wanted;
    const token = newToken();
    const action = await runInTransaction(this.dataSource, async (manager) => {
      const server = await ownServer(manager, projectId, serverId);
      if (server.desired === 'deleted') {
        throw new ServersError('server_locked', 'the server is being deleted');
      }
      await refuseWhileSuspended(manager, server);
      if (!server.readyAt) throw new ServersError('server_not_ready', 'the server is not ready yet');
      if (server.observed === 'off') {
        throw new ServersError('server_must_run', 'the server is off; power it on first');
      }
      await manager.query(
        `INSERT INTO consoles (id, account_id, project_id, server_id, kind, token_hash, actor_kind, actor_id, origin,
                               expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, now() + make_interval(secs => $10))`,
        [
          ...[newId(), accountId, projectId, serverId, kind, hashToken(token)],
          ...[actor.kind, actor.id, origin, CONSOLE_TOKEN_SECONDS],
        ],
      );
      return recordDone(manager, { projectId, serverId, command: 'request_console' });
    });
    return { action, token, password: this.passwords.of(token) };
  }
}
