import { setTimeout as pause } from 'node:timers/promises';
import { type Logger, pino } from 'pino';
import { afterEach, beforeAll } from 'vitest';
import { z } from 'zod';
import { testDatabase } from '../../../test/support/test-database.ts';
import { type BoundSaga, deps, saga, sagaRequest } from '../define.ts';
import { SampleWorld } from '../harness/sample.saga.ts';
import type { SagaRecord } from '../saga.record.ts';
import { SagaStore } from '../saga.store.ts';
import { naturalPace, type Pace } from './pace.ts';
import { SagaRunner, type SagaRunnerOptions } from './saga.runner.ts';

const log: Logger = pino({ level: 'silent' });
export const quick: Pace = { ...naturalPace, retry: () => 0.001, look: () => 0.001, stuck: () => 3600 };
export const runners: SagaRunner[] = [];
export let database: ReturnType<typeof testDatabase>;
export let store: SagaStore;
export let world: SampleWorld;

/** A database for the spec file, and the world of the sample saga. No runner and no saga outlives its test. */
export function runsSagas(): void {
  database = testDatabase();

  beforeAll(async () => {
    store = new SagaStore(database.dataSource);
    world = new SampleWorld(database.dataSource);
    await SampleWorld.createTables(database.dataSource);
  });

  afterEach(async () => {
    await Promise.all(runners.splice(0).map((runner) => runner.stop()));
    await database.dataSource.query('TRUNCATE sagas CASCADE');
  });
}

export function runnerOf(sagas: readonly BoundSaga[], options: Partial<SagaRunnerOptions> = {}): SagaRunner {
  const runner = new SagaRunner({
    dataSource: database.dataSource,
    sagas,
    log,
    pace: quick,
    sweepSeconds: 0.02,
    concurrency: 4,
    ...options,
  });
  runners.push(runner);
  return runner;
}

export async function until(sagaId: number, isThere: (saga: SagaRecord) => boolean): Promise<SagaRecord> {
  for (;;) {
    const found = await store.get(sagaId);
    if (isThere(found)) return found;
    await pause(5);
  }
}

export const ended = (found: SagaRecord) => found.finishedAt !== null || found.state === 'stuck';

export async function start<P>(
  request: Parameters<SagaStore['start']>[1] & { params: z.ZodType<P> },
  params: P,
) {
  const { sagaId } = await database.dataSource.transaction((manager) =>
    store.start(manager, request, params),
  );
  return sagaId;
}

export interface Flaky {
  readonly calls: string[];
  readonly fail: (call: string, times: number) => Error | undefined;
}

export const flakyRequest = sagaRequest('flaky', z.object({}));
export const flakySaga = saga(flakyRequest, deps<Flaky>())
  .step('one', {
    retry: { tries: 3, firstSeconds: 1, maxSeconds: 1 },
    do: async ({ deps: flaky }) => called(flaky, 'do one'),
    undo: async ({ deps: flaky }) => called(flaky, 'undo one'),
  })
  .step('two', {
    retry: { tries: 3, firstSeconds: 1, maxSeconds: 1 },
    do: async ({ deps: flaky }) => called(flaky, 'do two'),
    undo: async ({ deps: flaky }) => called(flaky, 'undo two'),
  })
  .build();

export async function called(flaky: Flaky, call: string): Promise<void> {
  flaky.calls.push(call);
  const error = flaky.fail(call, flaky.calls.filter((earlier) => earlier === call).length);
  if (error) throw error;
}
