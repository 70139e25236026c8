import { PinoLogger } from 'nestjs-pino';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { systemClock } from '#libs/kernel';
import { Schedules } from './schedules.ts';

const log = new PinoLogger({ pinoHttp: { level: 'silent' } });

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Tells a worker to end that is at `run`, and says whether it has ended after so many seconds. */
async function endsWithin(seconds: number, run: (stop: AbortSignal) => Promise<void>): Promise<boolean> {
  const schedules = new Schedules([{ name: 'task', everySeconds: 60, run }], systemClock, log);
  schedules.onApplicationBootstrap();
  schedules.onModuleDestroy();
  let hasEnded = false;
  void schedules.beforeApplicationShutdown().then(() => {
    hasEnded = true;
  });
  await vi.advanceTimersByTimeAsync(seconds * 1000);
  return hasEnded;
}

it('waits for what a task is at, and no longer than that', async () => {
  const seconds = (amount: number) => new Promise<void>((done) => setTimeout(done, amount * 1000));
  expect(await endsWithin(2, () => seconds(3))).toBe(false);
  expect(await endsWithin(4, () => seconds(3))).toBe(true);
});

it('does not keep a worker that was told to end: an image that is on its way to a host takes an hour', async () => {
  const forEver = () => new Promise<void>(() => {});
  expect(await endsWithin(24, forEver)).toBe(false);
  expect(await endsWithin(26, forEver)).toBe(true);
});
