import { describeSaga } from '../../test/support/describe-saga.ts';
import { applyScenarios } from './rehearsal.scenario.ts';

for (const scenario of applyScenarios) {
  describeSaga(scenario, new URL('./rehearsal.scenario.ts', import.meta.url).href);
}
