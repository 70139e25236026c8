import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { inSeconds, newId, systemClock } from '#libs/kernel';
import type { Account, AccountRole } from './account.entity.ts';
import { AccountsError } from './accounts.errors.ts';
import { hashToken, newToken } from './secret-token.ts';
import { Session } from './session.entity.ts';

export const SESSION_SECONDS = 14 * 24 * 3600;
/** `__Host-` makes browsers refuse the cookie unless it is secure, for this host alone and for every path. */
export const SESSION_COOKIE = '__Host-servery_session';

export interface ActiveSession {
  readonly sessionId: number;
  readonly accountId: number;
  readonly role: AccountRole;
  /** It ends later than it did until now, and so must its cookie. */
  readonly isRenewed: boolean;
}

interface SessionRow {
  session_id: number;
  account_id: number;
  role: AccountRole;
  stale: boolean;
}

/** Sessions of people in browsers. A session ends two weeks after it was last used. */
@Injectable()
export class SessionsService {
  constructor(private readonly dataSource: DataSource) {}

  /**
   * The token of a new session; only its hash is kept. `account` is as it was when its password was right: a new
   * password ends all sessions, and so it does with one that is opened at that moment.
   * @throws AccountsError `wrong_credentials` when the password has changed since.
   */
  async open({ id, passwordHash }: Pick<Account, 'id' | 'passwordHash'>): Promise<string> {
    const token = newToken();
    const opened: unknown[] = await this.dataSource.query(
      `INSERT INTO sessions (id, token_hash, account_id, expires_at)
       SELECT $1, $2, id, $5 FROM accounts WHERE id = $3 AND password_hash = $4 FOR SHARE
       RETURNING id`,
      [newId(), hashToken(token), id, passwordHash, inSeconds(systemClock, SESSION_SECONDS)],
    );
    if (opened.length === 0) throw new AccountsError('wrong_credentials', 'e-mail or password is wrong');
    await this.dataSource.query('DELETE FROM sessions WHERE expires_at < now()');
    return token;
  }

  async authenticate(token: string): Promise<ActiveSession | undefined> {
    const rows: SessionRow[] = await this.dataSource.query(
      `SELECT s.id AS session_id, a.id AS account_id, a.role, s.last_seen_at < now() - interval '5 minutes' AS stale
         FROM sessions s JOIN accounts a ON a.id = s.account_id
        WHERE s.token_hash = $1 AND s.expires_at > now()`,
      [hashToken(token)],
    );
    const row = rows[0];
    if (!row) return undefined;
    if (row.stale) await this.touch(row.session_id);
    return { sessionId: row.session_id, accountId: row.account_id, role: row.role, isRenewed: row.stale };
  }

  async close(sessionId: number): Promise<void> {
    await this.dataSource.getRepository(Session).delete({ id: sessionId });
  }

  private async touch(sessionId: number): Promise<void> {
    await this.dataSource
      .getRepository(Session)
      .update(
        { id: sessionId },
        { lastSeenAt: systemClock.now(), expiresAt: inSeconds(systemClock, SESSION_SECONDS) },
      );
  }
}
