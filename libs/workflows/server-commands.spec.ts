import { expect, it } from 'vitest';
import { assertAllSagasCovered } from '#libs/saga/harness';
import { describeSaga } from '../../test/support/describe-saga.ts';
import { scenarios as changeTypeScenarios } from './change-type.scenario.ts';
import { scenarios as cloneScenarios } from './clone.scenario.ts';
import { scenarios as cookScenarios } from './cook-recipe.scenario.ts';
import { scenarios as exportScenarios } from './export.scenario.ts';
import { scenarios as importScenarios } from './import-image.scenario.ts';
import { type WorkflowDeps, workflows } from './index.ts';
import { scenarios as isoScenarios } from './iso.scenario.ts';
import { scenarios as moneyScenarios } from './money.scenario.ts';
import { scenarios as provisionScenarios } from './provision-server.scenario.ts';
import { scenarios as rehearsalScenarios } from './rehearsal.scenario.ts';
import { scenarios as rescueScenarios } from './rescue.scenario.ts';
import { commandScenarios, scenarios } from './server.scenario.ts';
import { scenarios as backupScenarios } from './verify-backup.scenario.ts';
import { scenarios as volumeScenarios } from './volume.scenario.ts';

const module = new URL('./server.scenario.ts', import.meta.url).href;
for (const scenario of commandScenarios) describeSaga(scenario, module);

it('leaves no workflow out of the harness', () => {
  const all = workflows({} as WorkflowDeps).map(({ definition }) => definition);
  expect(all.length).toBeGreaterThan(0);
  assertAllSagasCovered(all, [
    ...scenarios,
    ...provisionScenarios,
    ...changeTypeScenarios,
    ...cloneScenarios,
    ...exportScenarios,
    ...cookScenarios,
    ...importScenarios,
    ...isoScenarios,
    ...moneyScenarios,
    ...rehearsalScenarios,
    ...rescueScenarios,
    ...backupScenarios,
    ...volumeScenarios,
  ]);
});
