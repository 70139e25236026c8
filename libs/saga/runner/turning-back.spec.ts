import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { DomainError } from '#libs/kernel';
import { deps, saga, sagaRequest, withDeps } from '../define.ts';
import { planTrip, planTripSaga } from '../harness/sample.saga.ts';
import type { SagaProgress } from '../observer.ts';
import { PermanentError } from '../saga.errors.ts';
import type { SagaRecord } from '../saga.record.ts';
import {
  called,
  database,
  ended,
  type Flaky,
  flakyRequest,
  flakySaga,
  runnerOf,
  runsSagas,
  start,
  store,
  until,
  world,
} from './runners.fixture.ts';
import type { SagaRunnerOptions } from './saga.runner.ts';

runsSagas();

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
