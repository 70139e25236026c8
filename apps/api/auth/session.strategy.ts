import { Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import type { FastifyRequest } from 'fastify';
import { Strategy } from 'passport-custom';
import { ProjectsService, SessionsService } from '#libs/accounts';
import { ApiError } from '../http/api-error.ts';
import type { Principal } from './principal.ts';
import { sessionTokenOf } from './session-cookie.ts';

/** The session cookie; `X-Servery-Project` names the project, the account's first one otherwise. */
@Injectable()
export class SessionStrategy extends PassportStrategy(Strategy, 'session-cookie') {
  constructor(
    private readonly sessions: SessionsService,
    private readonly projects: ProjectsService,
  ) {
    super();
  }

  async validate(request: FastifyRequest): Promise<Principal | false> {
    const token = request.headers.authorization === undefined ? sessionTokenOf(request) : undefined;
    const session = token === undefined ? undefined : await this.sessions.authenticate(token);
    if (!session) return false;
    const projectId = await this.projectId(session.accountId, request.headers['x-servery-project']);
    return { kind: 'session', ...session, projectId };
  }

  private async projectId(accountId: number, header: string | string[] | undefined): Promise<number> {
    if (header === undefined) return (await this.projects.first(accountId)).id;
    if (typeof header !== 'string' || !/^[1-9]\d{0,15}$/.test(header)) {
      throw new ApiError('invalid_input', 'the header X-Servery-Project must be the id of a project');
    }
    return (await this.projects.get(accountId, Number(header))).id;
  }
}
