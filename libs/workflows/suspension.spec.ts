import { describeSaga } from '../../test/support/describe-saga.ts';
import { suspensionScenarios } from './server.scenario.ts';

const module = new URL('./server.scenario.ts', import.meta.url).href;
for (const scenario of suspensionScenarios) describeSaga(scenario, module);
