import { describeSaga } from '../../test/support/describe-saga.ts';
import { scenarios } from './rehearsal.scenario.ts';

for (const scenario of scenarios) {
  describeSaga(scenario, new URL('./rehearsal.scenario.ts', import.meta.url).href);
}
