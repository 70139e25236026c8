import type { DataSource } from 'typeorm';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { deps, saga, sagaRequest, withDeps } from '../define.ts';
import {
  called,
  database,
  ended,
  type Flaky,
  runnerOf,
  runsSagas,
  start,
  store,
  until,
} from './runners.fixture.ts';

runsSagas();

const ONCE = { tries: 1, firstSeconds: 1, maxSeconds: 1 };
const request = sagaRequest('unheard', z.object({}));
const threeSteps = saga(request, deps<Flaky>())
  .step('one', {
    retry: ONCE,
    do: ({ deps }) => called(deps, 'do one'),
    undo: ({ deps }) => called(deps, 'undo one'),
  })
  .step('two', {
    retry: ONCE,
    do: ({ deps }) => called(deps, 'do two'),
    undo: ({ deps }) => called(deps, 'undo two'),
  })
  .pointOfNoReturn('it has to end')
  .step('three', { do: ({ deps }) => called(deps, 'do three') })
  .build();

/** The database, whose connection breaks once `transactions` were committed, before that is heard of. */
function unheardAfter(transactions: number): DataSource {
  let left = transactions;
  return new Proxy(database.dataSource, {
    get(target, name) {
      if (name !== 'transaction') return Reflect.get(target, name, target);
      return async (work: Parameters<DataSource['transaction']>[0]) => {
        const done = await target.transaction(work as never);
        left -= 1;
        if (left === 0) throw new Error('Connection terminated unexpectedly');
        return done;
      };
    },
  });
}

it.each([
  ['the first step', 1],
  ['a step', 2],
  ['the last step', 3],
])('%s that was recorded is so, though nobody heard of the commit', async (_which, transactions) => {
  const flaky: Flaky = { calls: [], fail: () => undefined };
  const sagaId = await start(request, {});
  await runnerOf([withDeps(threeSteps, flaky)], { dataSource: unheardAfter(transactions) }).start();
  expect(await until(sagaId, ended)).toMatchObject({ state: 'done' });
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(await store.get(sagaId)).toMatchObject({ state: 'done', error: null });
  expect(flaky.calls).toEqual(['do one', 'do two', 'do three']);
  const entries = await store.log(sagaId);
  expect(entries.map(({ step, outcome }) => `${step} ${outcome}`)).toEqual([
    'one succeeded',
    'two succeeded',
    'three succeeded',
  ]);
});

it('a saga that was taken back stays so, though nobody heard of the commit', async () => {
  const flaky: Flaky = { calls: [], fail: (call) => (call === 'do two' ? new Error('no') : undefined) };
  const sagaId = await start(request, {});
  await runnerOf([withDeps(threeSteps, flaky)], { dataSource: unheardAfter(4) }).start();
  expect(await until(sagaId, ended)).toMatchObject({ state: 'undone' });
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(await store.get(sagaId)).toMatchObject({ state: 'undone' });
  expect(flaky.calls).toEqual(['do one', 'do two', 'undo two', 'undo one']);
});
