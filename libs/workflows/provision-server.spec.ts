import { describeSaga } from '../../test/support/describe-saga.ts';
import { provisionScenario } from './server.scenario.ts';

describeSaga(provisionScenario, new URL('./server.scenario.ts', import.meta.url).href);
