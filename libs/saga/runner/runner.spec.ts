import { setTimeout as pause } from 'node:timers/promises';
import { type Logger, pino } from 'pino';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { DomainError, newId } from '#libs/kernel';
import { testDatabase } from '../../../test/support/test-database.ts';
import { type BoundSaga, deps, saga, sagaRequest, withDeps } from '../define.ts';
import { ALL_TRACES, planTrip, planTripSaga, SampleWorld } from '../harness/sample.saga.ts';
import type { SagaProgress } from '../observer.ts';
import { PermanentError } from '../saga.errors.ts';
import type { SagaRecord } from '../saga.record.ts';
import { SagaStore } from '../saga.store.ts';
import { naturalPace, type Pace } from './pace.ts';
import { SagaRunner, type SagaRunnerOptions } from './saga.runner.ts';

const database = testDatabase();
const log: Logger = pino({ level: 'silent' });
const quick: Pace = { ...naturalPace, retry: () => 0.001, look: () => 0.001, stuck: () => 3600 };
const runners: SagaRunner[] = [];
let store: SagaStore;
let world: SampleWorld;

beforeAll(async () => {
  store = new SagaStore(database.dataSource);
  world = new SampleWorld(database.dataSource);
  await SampleWorld.createTables(database.dataSource);
});

afterEach(async () => {
  await Promise.all(runners.splice(0).map((runner) => runner.stop()));
  await database.dataSource.query('TRUNCATE sagas CASCADE');
});

function runnerOf(sagas: readonly BoundSaga[], options: Partial<SagaRunnerOptions> = {}): SagaRunner {
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

async function until(sagaId: number, isThere: (saga: SagaRecord) => boolean): Promise<SagaRecord> {
  for (;;) {
    const found = await store.get(sagaId);
    if (isThere(found)) return found;
    await pause(5);
  }
}

const ended = (found: SagaRecord) => found.finishedAt !== null || found.state === 'stuck';

async function start<P>(request: Parameters<SagaStore['start']>[1] & { params: z.ZodType<P> }, params: P) {
  const { sagaId } = await database.dataSource.transaction((manager) =>
    store.start(manager, request, params),
  );
  return sagaId;
}

describe('a saga', () => {
  it('runs to its end: outputs accumulate, database effects happen once, each step is logged', async () => {
    await runnerOf([withDeps(planTripSaga, { world })]).start();
    const done = await until(await start(planTrip, { tripId: 'a' }), ended);
    expect(done).toMatchObject({ state: 'done', reversible: false, leaseOwner: null, error: null });
    expect(done.outputs).toMatchObject({ seat: { seat: 7 }, ticket: { ticket: 'seat 7, Adler' } });
    expect(await world.traces('a')).toEqual(ALL_TRACES);
    const entries = await store.log(done.id);
    expect(entries.map(({ step, outcome }) => `${step} ${outcome}`)).toEqual(
      planTripSaga.steps.map((step) => `${step.name} succeeded`),
    );
  });

  it('does not exist when the transaction that asked for it fails', async () => {
    const sagaId = newId();
    const failing = database.dataSource.transaction(async (manager) => {
      await store.start(manager, planTrip, { tripId: 'b' }, { sagaId });
      throw new Error('the order was refused');
    });
    await expect(failing).rejects.toThrow('refused');
    expect(await store.find(sagaId)).toBeUndefined();
  });

  it('refuses parameters that do not fit, naming them', async () => {
    const starting = store.start(database.dataSource.manager, planTrip, { tripId: 7 as unknown as string });
    await expect(starting).rejects.toMatchObject({ code: 'saga_params_invalid' });
  });
});

interface Flaky {
  readonly calls: string[];
  readonly fail: (call: string, times: number) => Error | undefined;
}

const flakyRequest = sagaRequest('flaky', z.object({}));
const flakySaga = saga(flakyRequest, deps<Flaky>())
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

async function called(flaky: Flaky, call: string): Promise<void> {
  flaky.calls.push(call);
  const error = flaky.fail(call, flaky.calls.filter((earlier) => earlier === call).length);
  if (error) throw error;
}

async function runFlaky(fail: Flaky['fail'], options: Partial<SagaRunnerOptions> = {}) {
  const flaky: Flaky = { calls: [], fail };
  await runnerOf([withDeps(flakySaga, flaky)], options).start();
  const sagaId = await start(flakyRequest, {});
  return { found: await until(sagaId, ended), calls: flaky.calls };
}

describe('a failing step', () => {
  it('is tried again after a transient error', async () => {
    const { found, calls } = await runFlaky((call, times) =>
      call === 'do two' && times < 3 ? new DomainError('unavailable', 'host_away', 'no answer') : undefined,
    );
    expect(found.state).toBe('done');
    expect(calls).toEqual(['do one', 'do two', 'do two', 'do two']);
    expect((await store.log(found.id)).map(({ outcome }) => outcome)).toEqual([
      'succeeded',
      'retried',
      'retried',
      'succeeded',
    ]);
  });

  it('turns the saga back when its tries are used up, undoing itself first', async () => {
    const { found, calls } = await runFlaky((call) =>
      call === 'do two' ? new Error('password=hunter2 at postgres://u:hunter2@h/') : undefined,
    );
    expect(found.state).toBe('undone');
    expect(calls).toEqual(['do one', 'do two', 'do two', 'do two', 'undo two', 'undo one']);
    expect(found.error).toMatchObject({ code: 'unexpected', step: 'two' });
    expect(JSON.stringify([found, await store.log(found.id)])).not.toContain('hunter2');
  });

  it('turns the saga back at once after a permanent error', async () => {
    const { found, calls } = await runFlaky((call) =>
      call === 'do two' ? new DomainError('payment_required', 'card_declined', 'declined') : undefined,
    );
    expect(found).toMatchObject({ state: 'undone', error: { code: 'card_declined', step: 'two' } });
    expect(calls).toEqual(['do one', 'do two', 'undo two', 'undo one']);
  });

  it('is stuck when its undo never works, goes on when resumed, and keeps the reason', async () => {
    let broken = true;
    const { found } = await runFlaky((call) => {
      if (call === 'do two') return new PermanentError('no', 'not possible');
      return call === 'undo one' && broken ? new Error('still away') : undefined;
    });
    expect(found).toMatchObject({ state: 'stuck', direction: 'undo', step: 'one', error: { code: 'no' } });
    expect(found.tries).toBe(10);
    broken = false;
    await store.resume(found.id);
    expect(await until(found.id, (saga) => saga.finishedAt !== null)).toMatchObject({
      state: 'undone',
      error: { code: 'no' },
    });
    await expect(store.resume(found.id)).rejects.toMatchObject({ code: 'saga_not_stuck' });
  });

  it('past the point of no return is stuck, not undone', async () => {
    let broken = true;
    const request = sagaRequest('forward', z.object({}));
    const forward = saga(request, deps<object>())
      .step('pay', { do: async () => 1, undo: async () => expect.unreachable() })
      .pointOfNoReturn('paid')
      .step('announce', {
        do: async () => {
          if (broken) throw new PermanentError('no', 'not possible');
        },
      })
      .build();
    await runnerOf([withDeps(forward, {})]).start();
    const sagaId = await start(request, {});
    expect(await until(sagaId, ended)).toMatchObject({ state: 'stuck', direction: 'do', step: 'announce' });
    expect(await database.dataSource.transaction((m) => store.requestUndo(m, sagaId, 'x'))).toBe('too_late');
    broken = false;
    await store.resume(sagaId);
    expect((await until(sagaId, (found) => found.finishedAt !== null)).state).toBe('done');
  });
});

describe('a saga that its operator gives up', () => {
  const giveUp = (sagaId: number) => database.dataSource.transaction((m) => store.giveUp(m, sagaId));
  const finished = (saga: SagaRecord) => saga.finishedAt !== null;

  it('leaves an undo that never works, takes back the rest, and keeps the reason', async () => {
    const { found, calls } = await runFlaky((call) => {
      if (call === 'do two') return new PermanentError('no', 'not possible');
      return call === 'undo two' ? new PermanentError('away', 'for good') : undefined;
    });
    expect(found).toMatchObject({ state: 'stuck', direction: 'undo', step: 'two' });
    calls.length = 0;
    await giveUp(found.id);
    expect(await until(found.id, finished)).toMatchObject({ state: 'undone', error: { code: 'no' } });
    expect(calls).toEqual(['undo one']);
    expect((await store.log(found.id)).map(({ step, error }) => [step, error?.code])).toEqual([
      ['one', undefined],
      ['two', 'no'],
      ['two', 'away'],
      ['two', 'given_up'],
      ['one', 'no'],
    ]);
    await expect(giveUp(found.id)).rejects.toMatchObject({ code: 'saga_not_stuck' });
  });

  it('leaves whatever else cannot be taken back, too', async () => {
    const { found } = await runFlaky((call) => {
      if (call === 'do two') return new PermanentError('no', 'not possible');
      return call.startsWith('undo') ? new PermanentError('away', 'for good') : undefined;
    });
    await giveUp(found.id);
    expect((await until(found.id, finished)).state).toBe('undone');
  });

  it.each([
    ['take_back', ['tidy', 'undo pay']],
    ['leave', ['tidy']],
  ] as const)('past the point of no return: %s', async (whenGivenUp, expected) => {
    const calls: string[] = [];
    const call = (name: string) => async () => void calls.push(name);
    const request = sagaRequest(`forward-${whenGivenUp}`, z.object({}));
    const forward = saga(request, deps<object>())
      .step('pay', { do: async () => 1, undo: call('undo pay') })
      .pointOfNoReturn('paid', whenGivenUp)
      .step('order', { do: async () => 2, whenGivenUp: { undoTransact: call('tidy') } })
      .step('announce', { do: () => Promise.reject(new PermanentError('no', 'not possible')) })
      .build();
    await runnerOf([withDeps(forward, {})]).start();
    const sagaId = await start(request, {});
    await until(sagaId, ended);
    await giveUp(sagaId);
    expect(await until(sagaId, finished)).toMatchObject({
      state: 'undone',
      error: { code: 'given_up', message: 'given up by the operator: not possible', step: 'announce' },
    });
    expect(calls).toEqual(expected);
  });
});

describe('a saga that an older release has asked for', () => {
  it('has the default of a parameter that was not stored, on the way there and back', async () => {
    const seen: unknown[] = [];
    const params = z.strictObject({ name: z.string(), by: z.enum(['train', 'boat']).default('train') });
    const request = sagaRequest('older', params);
    const older = saga(request, deps<object>())
      .step('go', {
        do: async ({ params }) => {
          seen.push(params);
          throw new PermanentError('no', 'not possible');
        },
        undo: async ({ params }) => void seen.push(params),
      })
      .build();
    const sagaId = await start(request, { name: 'a', by: 'boat' });
    await database.dataSource.query(`UPDATE sagas SET params = params - 'by' WHERE id = $1`, [sagaId]);
    await runnerOf([withDeps(older, {})]).start();
    expect(await until(sagaId, ended)).toMatchObject({ state: 'undone' });
    expect(seen).toEqual([
      { name: 'a', by: 'train' },
      { name: 'a', by: 'train' },
    ]);
  });
});

describe('a wait', () => {
  const request = sagaRequest('waiting', z.object({}));
  const waiting = (looks: { count: number; readyAt: number }, deadlineSeconds = 60) =>
    saga(request, deps<object>())
      .wait('ready', {
        deadlineSeconds,
        everySeconds: 60,
        check: async () => {
          looks.count += 1;
          return looks.count >= looks.readyAt ? { looks: looks.count } : undefined;
        },
        noUndo: 'only looks',
      })
      .build();

  it('holds no worker between two looks', async () => {
    const looks = { count: 0, readyAt: Number.POSITIVE_INFINITY };
    await runnerOf([withDeps(waiting(looks), {})], { pace: { ...quick, look: () => 3600 } }).start();
    const sagaId = await start(request, {});
    const asleep = await until(sagaId, (found) => looks.count > 0 && found.leaseOwner === null);
    expect(asleep).toMatchObject({ state: 'running', leaseUntil: null, tries: 0 });
    looks.readyAt = 2;
    await store.wake(database.dataSource.manager, sagaId);
    expect(await until(sagaId, ended)).toMatchObject({ state: 'done', outputs: { ready: { looks: 2 } } });
  });

  it('turns the saga back at its deadline', async () => {
    const looks = { count: 0, readyAt: Number.POSITIVE_INFINITY };
    await runnerOf([withDeps(waiting(looks, 0.05), {})]).start();
    const found = await until(await start(request, {}), ended);
    expect(found).toMatchObject({ state: 'undone', error: { code: 'deadline_exceeded', step: 'ready' } });
  });

  it('does not sleep through a wake-up that comes while it looks', async () => {
    let sagaId = 0;
    let looks = 0;
    const definition = saga(request, deps<object>())
      .wait('ready', {
        deadlineSeconds: 60,
        everySeconds: 3600,
        check: async () => {
          looks += 1;
          if (looks === 1) await store.wake(database.dataSource.manager, sagaId);
          return looks > 1 ? looks : undefined;
        },
        noUndo: 'only looks',
      })
      .build();
    sagaId = await start(request, {});
    await runnerOf([withDeps(definition, {})], { pace: { ...quick, look: () => 3600 } }).start();
    expect(await until(sagaId, ended)).toMatchObject({ state: 'done', outputs: { ready: 2 } });
  });
});

describe('sagas of one subject', () => {
  it('run one at a time, in the order in which they were started', async () => {
    const order: string[] = [];
    let inside = 0;
    const request = sagaRequest('visit', z.object({ name: z.string() }));
    const visit = saga(request, deps<object>())
      .step('stay', {
        do: async ({ params }) => {
          inside += 1;
          expect(inside).toBe(1);
          order.push(params.name);
          await pause(3);
          inside -= 1;
        },
        noUndo: 'nothing made',
      })
      .build();
    const subject = { type: 'house', id: 1 };
    const ids: number[] = [];
    for (const name of ['a', 'b', 'c', 'd']) {
      const options = { subject };
      ids.push(
        (await database.dataSource.transaction((m) => store.start(m, request, { name }, options))).sagaId,
      );
    }
    const refused = database.dataSource.transaction((manager) =>
      store.start(manager, request, { name: 'e' }, { subject, whenBusy: 'refuse' }),
    );
    await expect(refused).rejects.toMatchObject({ kind: 'locked', code: 'saga_subject_busy' });
    for (const _ of [1, 2]) await runnerOf([withDeps(visit, {})]).start();
    await until(ids.at(-1) as number, ended);
    expect(order).toEqual(['a', 'b', 'c', 'd']);
  });
});

describe('a request to undo', () => {
  it('turns a saga in progress back at its next step boundary', async () => {
    let sagaId = 0;
    const calls: string[] = [];
    const flaky: Flaky = { calls, fail: () => undefined };
    const definition = saga(flakyRequest, deps<Flaky>())
      .step('one', {
        do: async ({ deps: d }) => {
          await called(d, 'do one');
          const answer = await database.dataSource.transaction((m) =>
            store.requestUndo(m, sagaId, 'deleted'),
          );
          expect(answer).toBe('requested');
        },
        undo: async ({ deps: d, reason }) => called(d, `undo one: ${reason.code}`),
      })
      .step('two', { do: async ({ deps: d }) => called(d, 'do two'), noUndo: 'never reached' })
      .build();
    sagaId = await start(flakyRequest, {});
    await runnerOf([withDeps(definition, flaky)]).start();
    expect((await until(sagaId, ended)).state).toBe('undone');
    expect(calls).toEqual(['do one', 'undo one: undo_requested']);
    expect(await database.dataSource.transaction((m) => store.requestUndo(m, sagaId, 'x'))).toBe('finished');
  });

  it('takes back a saga that has not begun: its first undo runs and finds nothing', async () => {
    const sagaId = await start(planTrip, { tripId: 'never' });
    await database.dataSource.transaction((manager) => store.requestUndo(manager, sagaId, 'changed my mind'));
    const seen: SagaProgress[] = [];
    const observer = { onProgress: async (_: unknown, progress: SagaProgress) => void seen.push(progress) };
    await runnerOf([withDeps(planTripSaga, { world })], { observers: [observer] }).start();
    expect((await until(sagaId, ended)).state).toBe('undone');
    expect(await world.traces('never')).toEqual([]);
    expect(seen.at(-1)).toMatchObject({ state: 'undone', error: { code: 'undo_requested' } });
  });
});

describe('observers', () => {
  it('write in the transaction that records the step', async () => {
    await database.dataSource.query('CREATE TABLE seen (saga bigint, steps_done int, state text)');
    let refuse = 1;
    const seen: SagaProgress[] = [];
    await runnerOf([withDeps(planTripSaga, { world })], {
      observers: [
        {
          onProgress: async (manager, progress) => {
            const row = [progress.sagaId, progress.stepsDone, progress.state];
            await manager.query('INSERT INTO seen VALUES ($1, $2, $3)', row);
            if (refuse-- > 0) throw new Error('the observer stumbles');
          },
          afterProgress: (progress) => seen.push(progress),
        },
      ],
    }).start();
    const sagaId = await start(planTrip, { tripId: 'observed' });
    await until(sagaId, ended);
    await runners[0]?.stop();
    const rows: unknown[] = await database.dataSource.query('SELECT * FROM seen WHERE saga = $1', [sagaId]);
    expect(rows).toHaveLength(seen.length);
    expect(seen.at(-1)).toMatchObject({ state: 'done', stepsDone: 5, stepCount: 5, nextTitle: '' });
    expect(await world.traces('observed')).toEqual(ALL_TRACES);
  });
});

describe('the runner', () => {
  it('refuses two definitions of one name, and an unfinished saga that it has no definition for', async () => {
    const bound = withDeps(planTripSaga, { world });
    expect(() => runnerOf([bound, bound])).toThrow('two sagas are named plan-trip');
    await start(planTrip, { tripId: 'unknown' });
    await expect(
      runnerOf([withDeps(flakySaga, { calls: [], fail: () => undefined })]).start(),
    ).rejects.toThrow(/plan-trip \(1 unfinished\)/);
  });

  it('drains: the step in progress ends, the next is left to another worker', async () => {
    const request = sagaRequest('slow', z.object({}));
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    let entered = () => {};
    const inStep = new Promise<void>((resolve) => {
      entered = resolve;
    });
    const slow = saga(request, deps<object>())
      .step('first', {
        do: async () => {
          entered();
          await held;
        },
        noUndo: 'nothing made',
      })
      .step('second', { do: async () => 2, noUndo: 'nothing made' })
      .build();
    const first = runnerOf([withDeps(slow, {})]);
    await first.start();
    const sagaId = await start(request, {});
    await inStep;
    const stopped = first.stop();
    release();
    await stopped;
    expect(await store.get(sagaId)).toMatchObject({ step: 'second', leaseOwner: null, tries: 0 });
    await runnerOf([withDeps(slow, {})]).start();
    expect((await until(sagaId, ended)).state).toBe('done');
  });

  it('aborts a step that outlasts the drain, and does not count the try', async () => {
    const request = sagaRequest('deaf', z.object({}));
    let entered = () => {};
    const inStep = new Promise<void>((resolve) => {
      entered = resolve;
    });
    const endless = saga(request, deps<object>())
      .step('hang', {
        do: async ({ signal }) => {
          entered();
          await pause(3_600_000, undefined, { signal });
        },
        noUndo: 'nothing made',
      })
      .build();
    const runner = runnerOf([withDeps(endless, {})], { drainSeconds: 0.02 });
    await runner.start();
    const sagaId = await start(request, {});
    await inStep;
    await runner.stop();
    expect(await store.get(sagaId)).toMatchObject({
      state: 'running',
      step: 'hang',
      tries: 0,
      leaseOwner: null,
    });
    expect((await store.log(sagaId)).map(({ outcome }) => outcome)).toEqual(['interrupted']);
  });
});
