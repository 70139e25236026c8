import { pino } from 'pino';
import { sleep } from '#libs/kernel';
import type { SagaObserver } from '../observer.ts';
import { naturalPace, type Pace } from '../runner/pace.ts';
import { SagaRunner } from '../runner/saga.runner.ts';
import { SagaError } from '../saga.errors.ts';
import type { SagaRecord } from '../saga.record.ts';
import { SagaStore, type SagaWakeUp } from '../saga.store.ts';
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

/** What is asked of the database at least so often; everything that the runner does rings at once. */
const SECONDS_WITHOUT_NEWS = 0.1;

const log = pino({ level: process.env.SERVERY_HARNESS_LOG ?? 'silent' }, pino.destination(2));

interface RunOptions {
  readonly leaseSeconds?: number;
  readonly operator?: SagaCase['operator'];
  /** Told of the faults that have struck. */
  readonly struck?: Set<Fault>;
}

/**
 * Runs one saga to its end, with faults planted; should it get stuck, an operator gives it up, or resumes it: once, and
 * once more for each planted fault that lasts.
 */
export async function runToEnd(
  world: SagaWorld,
  name: string,
  sagaId: number,
  faults: readonly Fault[],
  { leaseSeconds = 30, operator = 'resumes', struck }: RunOptions = {},
): Promise<SagaRecord> {
  const sagas = world.sagas.map((saga) =>
    saga.definition.name === name ? withFaults(saga, faults, struck) : saga,
  );
  const store = new SagaStore(world.dataSource);
  const bell = new Bell();
  const runner: SagaRunner = new SagaRunner({
    dataSource: world.dataSource,
    sagas,
    log,
    alarm: { poke: async (saga, seconds = 0) => ring(runner, saga, seconds) },
    observers: [...(world.observers ?? []), bell],
    concurrency: 2,
    leaseSeconds,
    sweepSeconds: SECONDS_WITHOUT_NEWS,
    pace: hastyPace,
  });
  await runner.start();
  try {
    let helpLeft = Math.max(1, faults.filter(({ kind }) => kind === 'permanent').length);
    for (;;) {
      const rests = await untilRest(store, sagaId, bell);
      if (rests.state !== 'stuck' || helpLeft === 0) return rests;
      const { manager } = world.dataSource;
      const help = operator === 'gives up' ? store.giveUp(manager, sagaId) : store.resume(sagaId);
      const wakeUp = await help.catch(goneOnByItself);
      if (!wakeUp) continue;
      helpLeft -= 1;
      ring(runner, wakeUp);
    }
  } finally {
    await runner.stop();
  }
}

/** What a stuck saga waits for may happen after all, just before it is helped. */
function goneOnByItself(error: unknown): undefined {
  if (!(error instanceof SagaError && error.code === 'saga_not_stuck')) throw error;
}

function ring(runner: SagaRunner, { sagaId }: SagaWakeUp, seconds = 0): void {
  setTimeout(() => void runner.handle(sagaId), seconds * 1000).unref();
}

/** Tells when any saga has gone on: to ask the database all the while costs more than what the sagas do. */
class Bell implements SagaObserver {
  private hear: () => void = () => {};

  afterProgress(): void {
    this.hear();
  }

  /** Resolves at the next recorded try, or after a while without one. */
  async next(): Promise<void> {
    const heard = new Promise<void>((resolve) => {
      this.hear = resolve;
    });
    await Promise.race([heard, sleep(SECONDS_WITHOUT_NEWS * 1000)]);
  }
}

async function untilRest(store: SagaStore, sagaId: number, bell: Bell): Promise<SagaRecord> {
  for (;;) {
    const next = bell.next();
    const saga = await store.get(sagaId);
    const isMovedOn = saga.tries === 0 || saga.undoRequested?.code === 'given_up';
    if (saga.finishedAt !== null || (saga.state === 'stuck' && !isMovedOn && saga.leaseOwner === null))
      return saga;
    await next;
  }
}
