import { pino } from 'pino';
import { sleep } from '#libs/kernel';
import { naturalPace, type Pace } from '../runner/pace.ts';
import { SagaRunner } from '../runner/saga.runner.ts';
import type { SagaRecord } from '../saga.record.ts';
import { SagaStore } from '../saga.store.ts';
import type { SagaCase } from './cases.ts';
import { type Fault, withFaults } from './faults.ts';
import type { SagaWorld } from './scenario.ts';

/** Time is not what the harness tries: pauses are as good as nothing. */
const hastyPace: Pace = {
  ...naturalPace,
  retry: () => 0.005,
  look: (step) => Math.min(0.05, step.wait?.everySeconds ?? 0),
  stuck: () => 3600,
};

const log = pino({ level: process.env.SERVERY_HARNESS_LOG ?? 'silent' }, pino.destination(2));

interface RunOptions {
  readonly leaseSeconds?: number;
  readonly operator?: SagaCase['operator'];
}

/** Runs one saga to its end, with faults planted; should it get stuck, an operator resumes it once or gives it up. */
export async function runToEnd(
  world: SagaWorld,
  name: string,
  sagaId: number,
  faults: readonly Fault[],
  { leaseSeconds = 30, operator = 'resumes' }: RunOptions = {},
): Promise<SagaRecord> {
  const sagas = world.sagas.map((saga) => (saga.definition.name === name ? withFaults(saga, faults) : saga));
  const store = new SagaStore(world.dataSource);
  const runner = new SagaRunner({
    dataSource: world.dataSource,
    sagas,
    log,
    observers: world.observers ?? [],
    concurrency: 2,
    leaseSeconds,
    sweepSeconds: 0.02,
    pace: hastyPace,
  });
  await runner.start();
  try {
    const rests = await untilRest(store, sagaId);
    if (rests.state !== 'stuck') return rests;
    if (operator === 'gives up') await store.giveUp(world.dataSource.manager, sagaId);
    else await store.resume(sagaId);
    return await untilRest(store, sagaId);
  } finally {
    await runner.stop();
  }
}

async function untilRest(store: SagaStore, sagaId: number): Promise<SagaRecord> {
  for (;;) {
    const saga = await store.get(sagaId);
    const isMovedOn = saga.tries === 0 || saga.undoRequested?.code === 'given_up';
    if (saga.finishedAt !== null || (saga.state === 'stuck' && !isMovedOn && saga.leaseOwner === null))
      return saga;
    await sleep(5);
  }
}
