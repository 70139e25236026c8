import {
  type BeforeApplicationShutdown,
  type DynamicModule,
  type FactoryProvider,
  Module,
  type ModuleMetadata,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common';
import type { Logger } from 'pino';
import { DataSource } from 'typeorm';
import { SagaJobHandler, SagaProcessor, SagaQueue } from '#libs/queue';
import type { BoundSaga } from '../define.ts';
import type { SagaObserver } from '../observer.ts';
import { SagaStoreModule } from '../saga-store.module.ts';
import { SagaRunner, type SagaRunnerOptions } from './saga.runner.ts';

const RUN = Symbol('what the saga runner runs');

/** What a worker runs: definitions with what their steps need, made from injected services. */
export interface SagasToRun
  extends Pick<SagaRunnerOptions, 'concurrency' | 'leaseSeconds' | 'sweepSeconds' | 'drainSeconds'> {
  readonly sagas: readonly BoundSaga[];
  readonly observers?: readonly SagaObserver[];
  readonly log: Logger;
}

export interface SagaModuleOptions {
  readonly imports?: ModuleMetadata['imports'];
  readonly inject?: FactoryProvider['inject'];
  readonly useFactory: FactoryProvider<SagasToRun | Promise<SagasToRun>>['useFactory'];
}

/**
 * Starts the runner with the app and drains it before the app's connections close. It begins with the first of
 * Nest's hooks: the later one is not reached before what other modules wait for in theirs has ended.
 */
class RunnerLifecycle implements OnApplicationBootstrap, OnModuleDestroy, BeforeApplicationShutdown {
  private drained: Promise<void> | undefined;

  constructor(private readonly runner: SagaRunner) {}

  async onApplicationBootstrap(): Promise<void> {
    await this.runner.start();
  }

  onModuleDestroy(): void {
    this.drained = this.runner.stop();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.drained;
  }
}

/** Runs sagas in this process. Needs `DatabaseModule` and `QueueModule` in the app. */
@Module({})
// biome-ignore lint/complexity/noStaticOnlyClass: a dynamic module of Nest is a static method
export class SagaModule {
  static forRoot(options: SagaModuleOptions): DynamicModule {
    return {
      module: SagaModule,
      imports: [SagaStoreModule, ...(options.imports ?? [])],
      providers: [
        { provide: RUN, inject: options.inject ?? [], useFactory: options.useFactory },
        {
          provide: SagaRunner,
          inject: [DataSource, SagaQueue, RUN],
          useFactory: (dataSource: DataSource, alarm: SagaQueue, run: SagasToRun) =>
            new SagaRunner({ ...run, dataSource, alarm }),
        },
        { provide: SagaJobHandler, useExisting: SagaRunner },
        {
          provide: RunnerLifecycle,
          inject: [SagaRunner],
          useFactory: (r: SagaRunner) => new RunnerLifecycle(r),
        },
        SagaProcessor,
      ],
      exports: [SagaRunner, SagaStoreModule],
    };
  }
}
