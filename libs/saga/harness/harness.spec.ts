import { describe, expect, it } from 'vitest';
import { describeSaga } from '../../../test/support/describe-saga.ts';
import { casesOf } from './cases.ts';
import { SagaHarness } from './harness.ts';
import { planTripSaga } from './sample.saga.ts';
import { scenarios } from './sample.scenario.ts';
import { assertAllSagasCovered } from './scenario.ts';

const module = new URL('./sample.scenario.ts', import.meta.url).href;
for (const scenario of scenarios) describeSaga(scenario, module);

describe('the harness', () => {
  it('kills and fails every step and every undo', () => {
    const cases = casesOf(planTripSaga);
    for (const step of planTripSaga.steps) {
      for (const what of ['transient failure before', 'permanent failure before', 'killed while recording']) {
        expect(cases.map(({ title }) => title)).toContain(`${what} do ${step.name}`);
      }
      if (!step.undo && !step.undoTransact) continue;
      expect(cases.map(({ title }) => title)).toContain(`killed while recording undo ${step.name}`);
    }
    expect(new Set(cases.map(({ title }) => title)).size).toBe(cases.length);
  });

  it('finds an undo that leaves something, and an effect that is missing', async () => {
    const [scenario] = scenarios;
    if (!scenario) throw new Error('no scenario');
    const careless: typeof scenario = {
      ...scenario,
      async attach(address) {
        const world = await scenario.attach(address);
        const sagas = world.sagas.map(({ definition, deps }) => {
          const steps = definition.steps.map((step) => {
            if (step.name === 'hotel') return { ...step, undo: async () => {} };
            const again = async () => world.outside.make(`${crypto.randomUUID()}:`);
            return step.name === 'taxi' ? { ...step, do: again } : step;
          });
          return { definition: { ...definition, steps }, deps };
        });
        return { ...world, sagas };
      },
    };
    const harness = new SagaHarness(careless, module);
    await harness.open();
    try {
      const cases = casesOf(planTripSaga);
      const run = (title: string) =>
        harness.run(cases.find((one) => one.title === title) ?? expect.fail(title));
      await expect(run('permanent failure after do hotel')).rejects.toThrow(/made hotel/);
      await expect(run('do taxi, twice')).rejects.toThrow(/made taxi/);
    } finally {
      await harness.close();
    }
  });

  it('fails the build for a saga that no scenario tries', () => {
    expect(() => assertAllSagasCovered([planTripSaga], scenarios)).not.toThrow();
    expect(() => assertAllSagasCovered([planTripSaga, { name: 'new' }], scenarios)).toThrow(/harness: new/);
  });
});
