import { describeSaga } from '../../test/support/describe-saga.ts';
import { scenarios } from './money.scenario.ts';

const module = new URL('./money.scenario.ts', import.meta.url).href;
for (const scenario of scenarios) describeSaga(scenario, module);
