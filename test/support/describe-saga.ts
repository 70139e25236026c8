import { afterAll, beforeAll, describe, it } from 'vitest';
import { casesOf, SagaHarness, type SagaScenario, type SagaWorld } from '#libs/saga/harness';

/** Declares a test for every case of a saga, and prints their count. `module` is the scenario's `import.meta.url`. */
export function describeSaga<W extends SagaWorld>(scenario: SagaScenario<W>, module: string): void {
  const { name } = scenario.definition;
  const cases = casesOf(scenario.definition);
  describe(`saga ${name}`, () => {
    const harness = new SagaHarness(scenario, module);
    let passed = 0;
    beforeAll(() => harness.open());
    afterAll(async () => {
      await harness.close();
      const kills = cases.filter(({ inChild }) => inChild).length;
      console.log(
        `saga harness: ${name}: ${passed} of ${cases.length} cases passed (${kills} with a killed process)`,
      );
    });
    for (const sagaCase of cases) {
      it(sagaCase.title, async () => {
        await harness.run(sagaCase);
        passed += 1;
      });
    }
  });
}
