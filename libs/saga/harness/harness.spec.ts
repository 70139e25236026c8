import { describe, expect, it } from 'vitest';
import { describeSaga } from '../../../test/support/describe-saga.ts';
import { casesOf } from './cases.ts';
import { planTripSaga } from './sample.saga.ts';
import { scenarios } from './sample.scenario.ts';
import { assertAllSagasCovered } from './scenario.ts';

const module = new URL('./sample.scenario.ts', import.meta.url).href;
for (const scenario of scenarios) describeSaga(scenario, module);

describe('the harness', () => {
  it('kills and fails every step and every undo', () => {
    const cases = casesOf(planTripSaga);
    for (const step of planTripSaga.steps) {
      for (const what of ['transient failure before', 'permanent failure before', 'killed before']) {
        expect(cases.map(({ title }) => title)).toContain(`${what} do ${step.name}`);
      }
      if (!step.undo && !step.undoTransact) continue;
      expect(cases.map(({ title }) => title)).toContain(`killed while recording undo ${step.name}`);
    }
    expect(new Set(cases.map(({ title }) => title)).size).toBe(cases.length);
  });

  it('fails the build for a saga that no scenario tries', () => {
    expect(() => assertAllSagasCovered([planTripSaga], scenarios)).not.toThrow();
    expect(() => assertAllSagasCovered([planTripSaga, { name: 'new' }], scenarios)).toThrow(/harness: new/);
  });
});
