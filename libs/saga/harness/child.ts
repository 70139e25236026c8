import { flushCompileCache } from 'node:module';
import { runToEnd } from './run.ts';
import type { SagaScenario, WorldAddress } from './scenario.ts';
import type { ChildOrder } from './victim.ts';

/** A worker that is going to be killed: attaches to the world, says so, and runs the saga that it is told to run. */
const [scenarioModule = '', name = '', address = '{}'] = process.argv.slice(2);
const { scenarios } = (await import(scenarioModule)) as { scenarios: readonly SagaScenario[] };
const scenario = scenarios.find(({ definition }) => definition.name === name);
if (!scenario) throw new Error(`${scenarioModule} exports no scenario for ${name}`);
const world = await scenario.attach(JSON.parse(address) as WorldAddress);

/** Short, since a claim that was on its way when the child died is still granted to the dead. */
const LEASE_SECONDS = 2;

process.once('message', (order: ChildOrder) => {
  runToEnd(world, name, order.sagaId, order.faults, { leaseSeconds: LEASE_SECONDS }).then(
    () => process.exit(0),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});
process.once('disconnect', () => process.exit(2));
// Who is killed keeps nothing at its end.
flushCompileCache();
process.send?.('ready');
