import { setTimeout as pause } from 'node:timers/promises';
import { Module } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { testRedisUrl } from '../../test/support/redis.ts';
import { QueueModule } from './queue.module.ts';
import { RateLimits } from './rate-limiter.ts';
import { RedisHealth } from './redis.health.ts';
import { connectRedis } from './redis.ts';
import { SagaJobHandler, SagaProcessor } from './saga.processor.ts';
import { SagaQueue } from './saga.queue.ts';

class Handler extends SagaJobHandler {
  readonly concurrency = 3;
  readonly handled: number[] = [];
  during: (sagaId: number) => Promise<void> = async () => {};

  async handle(sagaId: number): Promise<void> {
    this.handled.push(sagaId);
    await this.during(sagaId);
  }
}

const redis = connectRedis(testRedisUrl());
const handler = new Handler();

@Module({ providers: [SagaProcessor, { provide: SagaJobHandler, useValue: handler }] })
class WorkerModule {}

let app: TestingModule | undefined;

async function boot(url: string, withWorker = true): Promise<TestingModule> {
  const imports = [QueueModule.forRoot({ url }), ...(withWorker ? [WorkerModule] : [])];
  app = await Test.createTestingModule({ imports }).compile();
  await app.init();
  return app;
}

async function untilHandled(count: number): Promise<void> {
  while (handler.handled.length < count) await pause(5);
}

afterEach(async () => {
  await app?.close();
  app = undefined;
  handler.handled.length = 0;
  handler.during = async () => {};
  await redis.flushdb();
});
afterAll(() => redis.disconnect());

describe('the saga queue', () => {
  it('brings an alarm to the worker, at once or after a while', async () => {
    const queue = (await boot(testRedisUrl())).get(SagaQueue);
    await queue.poke({ sagaId: 1, version: 0 });
    await queue.poke({ sagaId: 2, version: 0 }, 0.05);
    await untilHandled(2);
    expect(handler.handled).toEqual([1, 2]);
  });

  it('does not lose an alarm that is set while an older one is at work', async () => {
    const queue = (await boot(testRedisUrl())).get(SagaQueue);
    handler.during = async () => {
      if (handler.handled.length === 1) await queue.poke({ sagaId: 9, version: 1 });
    };
    await queue.poke({ sagaId: 9, version: 0 });
    await untilHandled(2);
    expect(handler.handled).toEqual([9, 9]);
  });

  it('lets alarms for one state of a saga fall together, and carries nothing but the id', async () => {
    const queue = (await boot(testRedisUrl(), false)).get(SagaQueue);
    await Promise.all([1, 2, 3].map(() => queue.poke({ sagaId: 5, version: 4 }, 60)));
    expect(await queue.depth()).toEqual({ waiting: 0, active: 0, delayed: 1 });
    expect(await redis.hget('servery:sagas:5-4', 'data')).toBe('{"sagaId":5}');
  });

  it('survives a flushed Redis', async () => {
    const queue = (await boot(testRedisUrl())).get(SagaQueue);
    await queue.poke({ sagaId: 1, version: 0 });
    await untilHandled(1);
    await redis.flushdb();
    await queue.poke({ sagaId: 1, version: 1 });
    await untilHandled(2);
  });

  it('gives up, without an error, when Redis is away', async () => {
    const queue = (await boot('redis://127.0.0.1:1', false)).get(SagaQueue);
    await expect(queue.poke({ sagaId: 1, version: 0 })).resolves.toBeUndefined();
    await expect(queue.depth()).rejects.toThrow('no answer from Redis');
    await expect((app as TestingModule).get(RedisHealth).check()).rejects.toThrow();
  });
});

describe('a rate limit', () => {
  it('counts each key apart, across limiters, and says when it starts again', async () => {
    const limits = (await boot(testRedisUrl(), false)).get(RateLimits);
    const options = { name: 'api', limit: 2, windowSeconds: 60 };
    const answers = [];
    for (const key of ['a', 'a', 'a', 'b']) answers.push(await limits.limiter(options).consume(key));
    expect(answers.map(({ allowed, remaining }) => [allowed, remaining])).toEqual([
      [true, 1],
      [true, 0],
      [false, 0],
      [true, 1],
    ]);
    const inSeconds = (answers[2]?.resetAtEpochSeconds ?? 0) - Date.now() / 1000;
    expect(inSeconds).toBeGreaterThan(0);
    expect(inSeconds).toBeLessThanOrEqual(61);
  });

  it('counts nothing that was given back', async () => {
    const limiter = (await boot(testRedisUrl(), false)).get(RateLimits).limiter({
      name: 'back',
      limit: 1,
      windowSeconds: 60,
    });
    for (let round = 0; round < 3; round += 1) {
      expect((await limiter.consume('a')).allowed).toBe(true);
      await limiter.giveBack('a');
    }
    await limiter.consume('a');
    expect((await limiter.consume('a')).allowed).toBe(false);
  });

  it('still counts, alone, when Redis is away', async () => {
    const limits = (await boot('redis://127.0.0.1:1', false)).get(RateLimits);
    const limiter = limits.limiter({ name: 'api', limit: 1, windowSeconds: 60 });
    expect((await limiter.consume('a')).allowed).toBe(true);
    expect((await limiter.consume('a')).allowed).toBe(false);
    await limiter.giveBack('a');
  });
});
