import { ServiceUnavailableException } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { RedisHealth } from '#libs/queue';
import { HealthController } from './health.controller.ts';

type Answer = () => Promise<void>;
const answers: Answer = () => Promise.resolve();
const fails: Answer = () => Promise.reject(new Error('connection refused'));
const hangs: Answer = () => new Promise(() => {});

const ready = (postgresql: Answer, redis: Answer) =>
  new HealthController({ query: postgresql } as unknown as DataSource, { check: redis } as RedisHealth)
    .ready()
    .catch((error: unknown) => (error instanceof ServiceUnavailableException ? error.getResponse() : error));

beforeEach(() => vi.useFakeTimers({ toFake: ['setTimeout'] }));
afterEach(() => vi.useRealTimers());

it.each([
  ['all answers', answers, answers, { status: 'ok', postgresql: 'ok', redis: 'ok' }],
  ['Redis is away', answers, fails, { status: 'ok', postgresql: 'ok', redis: 'no answer' }],
  ['Redis hangs', answers, hangs, { status: 'ok', postgresql: 'ok', redis: 'no answer' }],
  ['PostgreSQL is away', fails, answers, { status: 'unavailable', postgresql: 'no answer', redis: 'ok' }],
  ['PostgreSQL hangs', hangs, answers, { status: 'unavailable', postgresql: 'no answer', redis: 'ok' }],
])('the worker says within seconds whether it can work: %s', async (_, postgresql, redis, said) => {
  const answer = ready(postgresql, redis);
  await vi.advanceTimersByTimeAsync(4000);
  expect(await Promise.race([answer, Promise.resolve('nothing yet')])).toEqual(said);
});
