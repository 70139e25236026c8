import { BullModule } from '@nestjs/bullmq';
import { type DynamicModule, Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { RateLimits, RedisRateLimits } from './rate-limiter.ts';
import { RedisHealth } from './redis.health.ts';
import { connectRedis, redisOptions } from './redis.ts';
import { SAGA_QUEUE, SagaQueue } from './saga.queue.ts';

const REDIS = Symbol('Redis');

export interface QueueOptions {
  /** `redis://…` */
  readonly url: string;
  /** Before every key of the queue, so that several installations can share one Redis; `servery` unless told. */
  readonly prefix?: string;
}

/** The queue, rate limits and Redis' health for the whole app. */
@Module({})
export class QueueModule implements OnApplicationShutdown {
  constructor(@Inject(REDIS) private readonly redis: Redis) {}

  static forRoot(options: QueueOptions): DynamicModule {
    const fromRedis = <T>(make: (redis: Redis) => T) => ({ useFactory: make, inject: [REDIS] });
    return {
      module: QueueModule,
      global: true,
      imports: [
        BullModule.forRoot({
          connection: { ...redisOptions(options.url), maxRetriesPerRequest: null },
          prefix: options.prefix ?? 'servery',
        }),
        BullModule.registerQueue({ name: SAGA_QUEUE }),
      ],
      providers: [
        { provide: REDIS, useFactory: () => connectRedis(options.url) },
        { provide: RateLimits, ...fromRedis((redis) => new RedisRateLimits(redis)) },
        { provide: RedisHealth, ...fromRedis((redis) => new RedisHealth(redis)) },
        SagaQueue,
      ],
      exports: [SagaQueue, RateLimits, RedisHealth],
    };
  }

  onApplicationShutdown(): void {
    this.redis.disconnect();
  }
}
