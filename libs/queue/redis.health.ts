import type { Redis } from 'ioredis';

/** Whether Redis answers: for `/health/ready`. */
export class RedisHealth {
  constructor(private readonly redis: Redis) {}

  /** @throws when Redis does not answer within two seconds. */
  async check(): Promise<void> {
    await this.redis.ping();
  }
}
