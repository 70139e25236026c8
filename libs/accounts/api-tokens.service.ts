import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { notFound } from './accounts.errors.ts';
import { ApiToken, type TokenAccess } from './api-token.entity.ts';
import { MOST, tooMany } from './caps.ts';
import { hashToken, newToken, TOKEN_CHARACTERS } from './secret-token.ts';

export interface TokenBearer {
  readonly tokenId: number;
  readonly accountId: number;
  readonly projectId: number;
  readonly access: TokenAccess;
  readonly seesMoney: boolean;
}

interface BearerRow {
  token_id: number;
  account_id: number;
  project_id: number;
  access: TokenAccess;
  sees_money: boolean;
  stale: boolean;
}

/** Tokens of programs: 64 characters, shown once, revocable at once (each request looks the token up). */
@Injectable()
export class ApiTokensService {
  constructor(private readonly dataSource: DataSource) {}

  /** The token is in this answer only. Repeating it with the same `id` replaces the token. @throws AccountsError `too_many` */
  async create(
    projectId: number,
    input: { id: number; name: string; access: TokenAccess; seesMoney: boolean },
  ): Promise<{ apiToken: ApiToken; token: string }> {
    const token = newToken();
    await this.dataSource.query(
      `INSERT INTO api_tokens (id, project_id, name, token_hash, access, last4, sees_money)
       SELECT $1, $2, $3, $4, $5, $6, $7
       WHERE (SELECT count(*) FROM api_tokens WHERE project_id = $2 AND revoked_at IS NULL AND id <> $1) < $8
       ON CONFLICT (id) DO UPDATE SET token_hash = excluded.token_hash, last4 = excluded.last4
         WHERE api_tokens.project_id = excluded.project_id`,
      [
        input.id,
        projectId,
        input.name,
        hashToken(token),
        input.access,
        token.slice(-4),
        input.seesMoney,
        MOST.apiTokens,
      ],
    );
    const apiToken = await this.tokens.findOneBy({ id: input.id, projectId });
    if (!apiToken) throw tooMany('a project', MOST.apiTokens, 'API tokens');
    return { apiToken, token };
  }

  list(projectId: number): Promise<ApiToken[]> {
    return this.tokens.find({ where: { projectId }, order: { createdAt: 'ASC', id: 'ASC' } });
  }

  /** @throws AccountsError `api_token_not_found` */
  async revoke(projectId: number, id: number): Promise<void> {
    const token = await this.get(projectId, id);
    if (token.revokedAt === null) await this.tokens.update({ id, projectId }, { revokedAt: new Date() });
  }

  /** Who bears this token; nobody when it is unknown or revoked. */
  async authenticate(token: string): Promise<TokenBearer | undefined> {
    if (token.length !== TOKEN_CHARACTERS) return undefined;
    const rows: BearerRow[] = await this.dataSource.query(
      `SELECT t.id AS token_id, p.account_id, p.id AS project_id, t.access, t.sees_money,
              coalesce(t.last_used_at < now() - interval '1 minute', true) AS stale
         FROM api_tokens t JOIN projects p ON p.id = t.project_id
        WHERE t.token_hash = $1 AND t.revoked_at IS NULL`,
      [hashToken(token)],
    );
    const row = rows[0];
    if (!row) return undefined;
    if (row.stale) await this.tokens.update({ id: row.token_id }, { lastUsedAt: new Date() });
    return {
      tokenId: row.token_id,
      accountId: row.account_id,
      projectId: row.project_id,
      access: row.access,
      seesMoney: row.sees_money,
    };
  }

  private async get(projectId: number, id: number): Promise<ApiToken> {
    const token = await this.tokens.findOneBy({ id, projectId });
    if (!token) throw notFound('api_token_not_found', 'API token', id);
    return token;
  }

  private get tokens() {
    return this.dataSource.getRepository(ApiToken);
  }
}
