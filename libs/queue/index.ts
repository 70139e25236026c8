export { countedAddress } from './counted-address.ts';
export { QueueModule, type QueueOptions } from './queue.module.ts';
export { type RateLimitAnswer, type RateLimiter, type RateLimitOptions, RateLimits } from './rate-limiter.ts';
export { RedisHealth } from './redis.health.ts';
export { SagaJobHandler, SagaProcessor } from './saga.processor.ts';
export { type QueueDepth, type SagaJob, SagaQueue } from './saga.queue.ts';
