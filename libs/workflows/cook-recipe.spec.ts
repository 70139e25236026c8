import { describeSaga } from '../../test/support/describe-saga.ts';
import { scenarios } from './cook-recipe.scenario.ts';

const module = new URL('./cook-recipe.scenario.ts', import.meta.url).href;
for (const scenario of scenarios) describeSaga(scenario, module);
