import { describeSaga } from '../../test/support/describe-saga.ts';
import { scenarios } from './volume.scenario.ts';

const module = new URL('./volume.scenario.ts', import.meta.url).href;
for (const scenario of scenarios) describeSaga(scenario, module);
