import { Body, Controller, Ip, Post } from '@nestjs/common';
import type { z } from 'zod';
import { type Account, AccountsError, EmailConfirmations, PasswordResets } from '#libs/accounts';
import {
  completeEmailConfirmation,
  completePasswordReset,
  mailedLinkResponse,
  requestPasswordReset,
} from '#libs/contracts';
import { countedAddress, type RateLimiter, RateLimits } from '#libs/queue';
import { CurrentPrincipal, type Principal } from '../auth/principal.ts';
import { Endpoint } from '../http/endpoint.ts';
import { confirmationLimit, resetForEmailLimit, resetFromAddressLimit } from '../rate-limit/limits.ts';
import { tooMany } from '../rate-limit/rate-limit.guard.ts';
import { SignInLimits } from '../rate-limit/sign-in-limits.ts';

/** What people do by links in mails: confirm their address, and set a new password. */
@Controller('v1')
export class MailedLinksController {
  private readonly confirmationsOfAccount: RateLimiter;
  private readonly resetsForEmail: RateLimiter;
  private readonly resetsFromAddress: RateLimiter;

  constructor(
    private readonly confirmations: EmailConfirmations,
    private readonly resets: PasswordResets,
    private readonly guesses: SignInLimits,
    limits: RateLimits,
  ) {
    this.confirmationsOfAccount = limits.limiter({ name: 'confirmation', ...confirmationLimit });
    this.resetsForEmail = limits.limiter({ name: 'reset', ...resetForEmailLimit });
    this.resetsFromAddress = limits.limiter({ name: 'reset-from', ...resetFromAddressLimit });
  }

  @Post('email_confirmations')
  @Endpoint({
    summary: 'Send the mail again that confirms your address',
    audit: 'account.ask_email_confirmation',
    access: 'session',
  })
  async confirmAgain(@CurrentPrincipal() { accountId }: Principal): Promise<void> {
    await use(this.confirmationsOfAccount, String(accountId));
    await this.confirmations.sendAgain(accountId);
  }

  @Post('email_confirmations/actions/complete')
  @Endpoint({
    summary: 'Confirm an address with the token of the link in a mail',
    audit: 'account.confirm_email',
    access: 'public',
    response: mailedLinkResponse,
  })
  async confirm(
    @Body({ schema: completeEmailConfirmation }) { token }: z.output<typeof completeEmailConfirmation>,
    @Ip() ip: string,
  ) {
    return this.follow(ip, () => this.confirmations.complete(token));
  }

  @Post('password_resets')
  @Endpoint({
    summary:
      'Send a mail that lets the owner of an account set a new password; the answer is the same without one',
    access: 'public',
  })
  async requestReset(
    @Body({ schema: requestPasswordReset }) { email }: z.output<typeof requestPasswordReset>,
    @Ip() ip: string,
  ): Promise<void> {
    await use(this.resetsFromAddress, countedAddress(ip));
    await use(this.resetsForEmail, email.toLowerCase());
    await this.resets.request(email, ip);
  }

  @Post('password_resets/actions/complete')
  @Endpoint({
    summary: 'Set a new password with the token of the link in a mail; all sessions end',
    audit: 'account.reset_password',
    access: 'public',
    response: mailedLinkResponse,
  })
  async reset(
    @Body({ schema: completePasswordReset })
    { token, password, revoke_api_tokens: revokesTokens }: z.output<typeof completePasswordReset>,
    @Ip() ip: string,
  ) {
    return this.follow(ip, () => this.resets.complete(token, password, { revokesTokens }));
  }

  /** Wrong tokens count as wrong API tokens do. */
  private async follow(ip: string, complete: () => Promise<Account>) {
    try {
      const { id, email } = await complete();
      return { account: { id, email } };
    } catch (error) {
      if (error instanceof AccountsError && error.code === 'link_gone') await this.guesses.wrongToken(ip);
      throw error;
    }
  }
}

async function use(limiter: RateLimiter, key: string): Promise<void> {
  const answer = await limiter.consume(key);
  if (!answer.allowed) throw tooMany(answer, 'mails');
}
