import { Body, Controller, Delete, Get, Ip, Post, Req, Res, UseGuards } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { type Account, AccountsService, EmailConfirmations, SessionsService } from '#libs/accounts';
import { accountResponse, signUp, signUpResponse } from '#libs/contracts';
import { countedAddress, type RateLimiter, RateLimits } from '#libs/queue';
import { PasswordGuard } from '../auth/password.guard.ts';
import { CurrentPrincipal, type Principal } from '../auth/principal.ts';
import { clearSessionCookie, setSessionCookie } from '../auth/session-cookie.ts';
import { Endpoint } from '../http/endpoint.ts';
import { presentProject } from '../projects/projects.controller.ts';
import { signUpLimit } from '../rate-limit/limits.ts';
import { tooMany } from '../rate-limit/rate-limit.guard.ts';
import { AccountPresenter } from './account.presenter.ts';

@Controller('v1')
export class AccountsController {
  private readonly signUps: RateLimiter;

  constructor(
    private readonly accounts: AccountsService,
    private readonly sessions: SessionsService,
    private readonly confirmations: EmailConfirmations,
    private readonly presenter: AccountPresenter,
    limits: RateLimits,
  ) {
    this.signUps = limits.limiter({ name: 'sign-up', ...signUpLimit });
  }

  @Post('accounts')
  @Endpoint({
    summary: 'Sign up',
    audit: 'account.sign_up',
    access: 'public',
    response: signUpResponse,
    status: 201,
    idempotent: true,
  })
  async signUp(
    @Body({ schema: signUp }) { name, ...credentials }: z.output<typeof signUp>,
    @Ip() ip: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const answer = await this.signUps.consume(countedAddress(ip));
    if (!answer.allowed) throw tooMany(answer);
    const { account, project } = await this.accounts.signUp(
      { ...credentials, ...(name ? { name } : {}) },
      (manager, signedUp) => this.confirmations.send(manager, signedUp),
    );
    setSessionCookie(reply, await this.sessions.open(account));
    return { account: await this.presenter.present(account), project: presentProject(project) };
  }

  @Post('sessions')
  @UseGuards(PasswordGuard)
  @Endpoint({
    summary: 'Sign in',
    audit: 'account.sign_in',
    access: 'public',
    response: accountResponse,
    status: 201,
  })
  async signIn(
    @Req() request: FastifyRequest & { user: Account },
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    setSessionCookie(reply, await this.sessions.open(request.user));
    return { account: await this.presenter.present(request.user) };
  }

  @Delete('sessions/current')
  @Endpoint({ summary: 'Sign out', audit: 'account.sign_out', access: 'session' })
  async signOut(@CurrentPrincipal() principal: Principal, @Res({ passthrough: true }) reply: FastifyReply) {
    if (principal.kind === 'session') await this.sessions.close(principal.sessionId);
    clearSessionCookie(reply);
  }

  @Get('account')
  @Endpoint({ summary: 'Get your account', access: 'session', response: accountResponse })
  async get(@CurrentPrincipal() principal: Principal) {
    return { account: await this.presenter.present(await this.accounts.get(principal.accountId)) };
  }
}
