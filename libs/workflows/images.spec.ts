import { describeSaga } from '../../test/support/describe-saga.ts';
import { imageScenarios, mergeScenario } from './server.scenario.ts';

const module = new URL('./server.scenario.ts', import.meta.url).href;
for (const scenario of [...imageScenarios, mergeScenario]) describeSaga(scenario, module);
