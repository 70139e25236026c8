import { Injectable } from '@nestjs/common';
import { countedAddress, type RateLimitAnswer, type RateLimiter, RateLimits } from '#libs/queue';
import { failuresFromAddressLimit, signInFromAnywhereLimit, signInLimit } from './limits.ts';
import { tooMany } from './rate-limit.guard.ts';

interface Use {
  readonly limiter: RateLimiter;
  readonly key: string;
}

/** An attempt that was let through. It stays counted unless it turns out to be right. */
export interface SignInAttempt {
  succeeded(): Promise<void>;
}

/** Limits how often secrets are guessed. Each attempt counts before its secret is looked at, however many at once. */
@Injectable()
export class SignInLimits {
  private readonly perAddress: RateLimiter;
  private readonly perEmailAndAddress: RateLimiter;
  private readonly perEmail: RateLimiter;

  constructor(limits: RateLimits) {
    this.perAddress = limits.limiter({ name: 'failures', ...failuresFromAddressLimit });
    this.perEmailAndAddress = limits.limiter({ name: 'sign-in', ...signInLimit });
    this.perEmail = limits.limiter({ name: 'sign-in-anywhere', ...signInFromAnywhereLimit });
  }

  /**
   * Begins an attempt by password. `onLockOut` is told once for each window in which an e-mail is locked.
   * @throws ApiError `rate_limit_exceeded`
   */
  async attempt(email: string, ip: string, onLockOut: () => Promise<void>): Promise<SignInAttempt> {
    const name = email.toLowerCase();
    const address = countedAddress(ip);
    const uses: readonly Use[] = [
      { limiter: this.perAddress, key: address },
      { limiter: this.perEmailAndAddress, key: `${address}:${name}` },
      { limiter: this.perEmail, key: name },
    ];
    for (const [index, { limiter, key }] of uses.entries()) {
      const answer = await limiter.consume(key);
      if (answer.allowed) continue;
      if (index > 0 && answer.isFirstRefusal) await onLockOut();
      throw refusal(answer);
    }
    return {
      succeeded: async () => {
        await Promise.all(uses.map(({ limiter, key }) => limiter.giveBack(key)));
      },
    };
  }

  /** Counts an API token that nobody has. Those who bear a right one from there go on. @throws ApiError */
  async wrongToken(ip: string): Promise<void> {
    const answer = await this.perAddress.consume(countedAddress(ip));
    if (!answer.allowed) throw refusal(answer);
  }
}

function refusal(answer: RateLimitAnswer): Error {
  return tooMany(answer, 'failed sign-ins');
}
