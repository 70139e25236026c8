import { describeSaga } from '../../test/support/describe-saga.ts';
import { scenarios } from './provision-server.scenario.ts';

const module = new URL('./provision-server.scenario.ts', import.meta.url).href;
for (const scenario of scenarios) describeSaga(scenario, module);
