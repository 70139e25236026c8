import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { newId } from '#libs/kernel';
import { deps, saga, sagaRequest, withDeps } from '../define.ts';
import { ALL_TRACES, planTrip, planTripSaga } from '../harness/sample.saga.ts';
import type { SagaProgress } from '../observer.ts';
import { PermanentError } from '../saga.errors.ts';
import {
  database,
  ended,
  flakySaga,
  quick,
  runnerOf,
  runners,
  runsSagas,
  start,
  store,
  until,
  world,
} from './runners.fixture.ts';

runsSagas();

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
