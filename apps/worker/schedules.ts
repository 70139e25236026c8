import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { type Task, TIMETABLE } from './timetable.ts';

/** What the worker does by the clock. Each task waits for its own last run; PostgreSQL keeps several workers apart. */
@Injectable()
export class Schedules implements OnApplicationBootstrap, OnModuleDestroy, BeforeApplicationShutdown {
  private readonly stop = new AbortController();
  private running: Promise<void>[] = [];

  constructor(
    @Inject(TIMETABLE) private readonly tasks: readonly Task[],
    private readonly log: PinoLogger,
  ) {}

  onApplicationBootstrap(): void {
    this.running = this.tasks.map((task) => this.repeat(task));
  }

  onModuleDestroy(): void {
    this.stop.abort();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await Promise.all(this.running);
  }

  private async repeat({ name, everySeconds, run }: Task): Promise<void> {
    const { signal } = this.stop;
    while (!signal.aborted) {
      try {
        await run(signal);
      } catch (err) {
        this.log.error({ err, task: name }, 'a scheduled task failed and will be tried again');
      }
      await pause(everySeconds * 1000, signal);
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
