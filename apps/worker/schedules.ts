import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import type { Clock } from '#libs/kernel';
import { MONEY_CLOCK } from '#libs/payments';
import { type Task, TIMETABLE } from './timetable.ts';

/** A clock that was moved is noticed within so long. */
const MOST_NAP_MILLISECONDS = 1000;
/** As long as sagas may drain. A task that goes on for longer is repeated, and may be cut off at any point. */
const MOST_DRAIN_MILLISECONDS = 25_000;

/** What the worker does by the clock. Each task waits for its own last run; PostgreSQL keeps several workers apart. */
@Injectable()
export class Schedules implements OnApplicationBootstrap, OnModuleDestroy, BeforeApplicationShutdown {
  private readonly stop = new AbortController();
  private running: Promise<void>[] = [];
  private drained: Promise<void> | undefined;

  constructor(
    @Inject(TIMETABLE) private readonly tasks: readonly Task[],
    @Inject(MONEY_CLOCK) private readonly clock: Clock,
    private readonly log: PinoLogger,
  ) {}

  onApplicationBootstrap(): void {
    this.running = this.tasks.map((task) => this.repeat(task));
  }

  /** The time of tasks runs beside that of sagas: the later hook is reached when those have ended. */
  onModuleDestroy(): void {
    this.stop.abort();
    this.drained = this.drain();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.drained;
  }

  private async drain(): Promise<void> {
    const ended = new AbortController();
    await Promise.race([Promise.all(this.running), pause(MOST_DRAIN_MILLISECONDS, ended.signal)]);
    ended.abort();
  }

  private async repeat({ name, everySeconds, run }: Task): Promise<void> {
    const { signal } = this.stop;
    while (!signal.aborted) {
      try {
        await run(signal);
      } catch (err) {
        this.log.error({ err, task: name }, 'a scheduled task failed and will be tried again');
      }
      await this.wait(everySeconds * 1000, signal);
    }
  }

  /** Where the clock of money is moved ahead, what would have been done meanwhile is due. */
  private async wait(milliseconds: number, signal: AbortSignal): Promise<void> {
    for (let left = milliseconds; left > 0 && !signal.aborted; ) {
      const began = this.clock.now().getTime();
      const nap = Math.min(left, MOST_NAP_MILLISECONDS);
      await pause(nap, signal);
      left -= Math.max(nap, this.clock.now().getTime() - began);
    }
  }
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal.addEventListener('abort', done);
  });
}
