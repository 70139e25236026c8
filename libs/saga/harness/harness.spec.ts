import { describe, expect, it } from 'vitest';
import { describeSaga } from '../../../test/support/describe-saga.ts';
import { casesOf } from './cases.ts';
import { SagaHarness } from './harness.ts';
import { planTripSaga } from './sample.saga.ts';
import { scenarios } from './sample.scenario.ts';
import { assertAllSagasCovered } from './scenario.ts';

const module = new URL('./sample.scenario.ts', import.meta.url).href;
// Both ways: each fault by itself, at every moment, shows the runner; together is how every other saga is tried.
for (const scenario of scenarios) {
  describe('apart', () => describeSaga(scenario, module, 'apart'));
  describe('together', () => describeSaga(scenario, module, 'together'));
}

describe('the harness', () => {
  it.each(['apart', 'together'] as const)('kills and fails every step and every undo, %s', (thoroughness) => {
    const cases = casesOf(planTripSaga, thoroughness);
    const struck = (direction: string, kind: string, moments: string[]) =>
      new Set(
        cases
          .flatMap(({ faults, kills }) => [...faults, ...kills])
          .filter((one) => one.direction === direction && one.kind === kind && moments.includes(one.moment))
          .map(({ step }) => step),
      );
    const steps = planTripSaga.steps.map(({ name }) => name);
    const undone = planTripSaga.steps
      .filter((step) => step.undo ?? step.undoTransact)
      .map(({ name }) => name);
    for (const moment of ['before', 'recording']) {
      expect(struck('do', 'transient', [moment])).toEqual(new Set(steps));
      expect(struck('undo', 'transient', [moment])).toEqual(new Set(undone));
    }
    expect(struck('do', 'permanent', ['before'])).toEqual(new Set(steps));
    expect(struck('do', 'kill', ['after', 'recording'])).toEqual(new Set(steps));
    expect(struck('undo', 'kill', ['after', 'recording'])).toEqual(new Set(undone));
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
    const cases = casesOf(planTripSaga, 'apart');
    const harness = new SagaHarness(careless, module, cases);
    await harness.open();
    try {
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
