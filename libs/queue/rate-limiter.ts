import type { Redis } from 'ioredis';
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';

export interface RateLimitOptions {
  /** Keeps the counts of different limits apart, e.g. `api` and `sign-in`. */
  readonly name: string;
  /** Requests allowed in one window. */
  readonly limit: number;
  readonly windowSeconds: number;
}

export interface RateLimitAnswer {
  readonly allowed: boolean;
  readonly limit: number;
  readonly remaining: number;
  /** The first refusal of its window. */
  readonly isFirstRefusal: boolean;
  /** Unix time at which the whole limit is there again. */
  readonly resetAtEpochSeconds: number;
}

/** Counts what a key (a token's id, an address) has used of its limit. */
export interface RateLimiter {
  /** Uses one of the key's requests, if one is left. Never throws: without Redis, each process counts alone. */
  consume(key: string): Promise<RateLimitAnswer>;
  /** Gives one back that need not have counted. Never throws. */
  giveBack(key: string): Promise<void>;
}

/** Hands out limiters that all processes share. */
export abstract class RateLimits {
  abstract limiter(options: RateLimitOptions): RateLimiter;
}

export class RedisRateLimits extends RateLimits {
  constructor(private readonly redis: Redis) {
    super();
  }

  limiter(options: RateLimitOptions): RateLimiter {
    const { name, limit, windowSeconds } = options;
    const alone = new RateLimiterMemory({ points: limit, duration: windowSeconds });
    const shared = new RateLimiterRedis({
      storeClient: this.redis,
      keyPrefix: `rate-limit:${name}`,
      points: limit,
      duration: windowSeconds,
      insuranceLimiter: alone,
    });
    return {
      consume: async (key) => answer(limit, await consume(shared, key)),
      giveBack: async (key) => {
        await shared.reward(key, 1);
      },
    };
  }
}

/** The library rejects with its result when the limit is reached; both ways carry the same figures. */
async function consume(limiter: RateLimiterRedis, key: string): Promise<[boolean, RateLimiterRes]> {
  try {
    return [true, await limiter.consume(key)];
  } catch (refusal) {
    if (refusal instanceof RateLimiterRes) return [false, refusal];
    throw refusal;
  }
}

function answer(limit: number, [allowed, result]: [boolean, RateLimiterRes]): RateLimitAnswer {
  return {
    allowed,
    limit,
    remaining: Math.max(0, result.remainingPoints),
    isFirstRefusal: result.consumedPoints === limit + 1,
    resetAtEpochSeconds: Math.ceil((Date.now() + result.msBeforeNext) / 1000),
  };
}
