import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Fault } from './faults.ts';
import { runToEnd } from './run.ts';
import { planTripSaga } from './sample.saga.ts';
import { scenarios } from './sample.scenario.ts';

const faults: fc.Arbitrary<Fault> = fc.record({
  step: fc.constantFrom(...planTripSaga.steps.map(({ name }) => name)),
  direction: fc.constantFrom('do' as const, 'undo' as const),
  moment: fc.constantFrom('before' as const, 'after' as const, 'recording' as const),
  kind: fc.constantFrom('transient' as const, 'permanent' as const, 'repeat' as const),
});

/** An undo that fails for good gets stuck, once more after each resuming: one such fault per run is enough. */
const schedules = fc
  .array(faults, { maxLength: 8 })
  .map((list) => list.filter(({ kind, direction }) => !(kind === 'permanent' && direction === 'undo')))
  .map((list) => {
    const forward = list.findLastIndex(({ step, kind }) => step === 'ticket' && kind === 'permanent');
    return list.filter(
      (fault, index) => index === forward || fault.step !== 'ticket' || fault.kind !== 'permanent',
    );
  });

it('ends done with every effect once, or undone with none, under any schedule of failures', async () => {
  const [scenario] = scenarios;
  if (!scenario) throw new Error('no scenario');
  const world = await scenario.attach(await scenario.createWorld());
  try {
    await fc.assert(
      fc.asyncProperty(schedules, async (planted) => {
        const sagaId = await scenario.start(world);
        const { state } = await runToEnd(world, 'plan-trip', sagaId, planted);
        expect(['done', 'undone']).toContain(state);
        if (state === 'done') await scenario.assertDone(world, sagaId);
        else await scenario.assertCleanSlate(world, sagaId);
      }),
      { numRuns: 40 },
    );
  } finally {
    await world.close();
  }
});
