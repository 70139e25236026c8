import { afterAll, beforeAll, describe, it } from 'vitest';
import {
  casesOf,
  SagaHarness,
  type SagaScenario,
  type SagaWorld,
  type Thoroughness,
} from '#libs/saga/harness';

/** Bounds on what hangs, not on what is slow. */
const CASE_MILLISECONDS = 180_000;
const KILL_MILLISECONDS = 30_000;

/** Declares a test for every case of a saga, and prints their count. `module` is the scenario's `import.meta.url`. */
export function describeSaga<W extends SagaWorld>(
  scenario: SagaScenario<W>,
  module: string,
  thoroughness?: Thoroughness,
): void {
  const { name } = scenario.definition;
  const cases = casesOf(scenario.definition, thoroughness);
  describe(`saga ${name}`, () => {
    const harness = new SagaHarness(scenario, module, cases);
    let passed = 0;
    beforeAll(() => harness.open());
    afterAll(async () => {
      await harness.close();
      const faults = cases.flatMap((one) => one.faults).length;
      const kills = cases.flatMap((one) => one.kills).length;
      console.log(
        `saga harness: ${name}: ${passed} of ${cases.length} cases passed (${faults} faults, ${kills} killed processes)`,
      );
    });
    for (const sagaCase of cases) {
      const test = async () => {
        await harness.run(sagaCase);
        passed += 1;
      };
      it(sagaCase.title, test, CASE_MILLISECONDS + sagaCase.kills.length * KILL_MILLISECONDS);
    }
  });
}
