export { casesOf, type SagaCase, type Thoroughness } from './cases.ts';
export { type Fault, type FaultKind, type Moment, withFaults } from './faults.ts';
export { SagaHarness } from './harness.ts';
export { runToEnd } from './run.ts';
export {
  anyDefinition,
  assertAllSagasCovered,
  type SagaScenario,
  type SagaWorld,
  type WorldAddress,
} from './scenario.ts';
