import 'reflect-metadata';
import { flushCompileCache } from 'node:module';
import { pino } from 'pino';
import { accountsEntities } from '#libs/accounts';
import { createDataSource } from '#libs/database';
import { sleep } from '#libs/kernel';
import { connectPayments } from '#libs/payments/harness';
import { placementEntities } from '#libs/placement';
import { naturalPace, type Pace, SagaRunner } from '#libs/saga/runner';
import { moneyWorld } from '../../../libs/workflows/harness/money-world.ts';
import { listenerOf } from '../../../libs/workflows/harness/server-world.ts';
import type { Order, WorkerAddress } from './messages.ts';
import { Mortality, mortalListener, mortalSaga } from './mortal.ts';

/** A worker of the money: runs sagas and works off events until it is killed, which may be at any moment. */
const address = JSON.parse(process.argv[2] ?? '{}') as WorkerAddress;
const { databaseUrl, stripePort, timeoutMilliseconds } = address;

/** Who finds no work waits before the next look: five of six looks for events found none when it was a fifth of this. */
const IDLE_MILLISECONDS = 120;

let aheadMilliseconds = 0;
const clock = { now: () => new Date(Date.now() + aheadMilliseconds) };
const mortality = new Mortality();

const entities = [...accountsEntities, ...placementEntities];
const dataSource = await createDataSource(databaseUrl, {
  entities,
  poolSize: 12,
  idleSeconds: 600,
}).initialize();
const stripe = { host: '127.0.0.1', port: stripePort };
const listener = mortalListener(
  listenerOf(dataSource, () => connected.provider, clock),
  mortality,
);
const connected: ReturnType<typeof connectPayments> = connectPayments(dataSource, stripe, listener, {
  clock,
  timeoutMilliseconds,
});
const world = moneyWorld(dataSource, connected, `http://127.0.0.1:${stripePort}`, clock);

/** A simulated day takes moments, so pauses do as well; an operator resumes at once what is stuck. */
const pace: Pace = { ...naturalPace, retry: () => 0.02, look: () => 0.1, stuck: () => 0.5 };
const runner = new SagaRunner({
  dataSource,
  sagas: world.sagas.map((saga) => mortalSaga(saga, mortality)),
  log: pino({ level: process.env.SERVERY_HARNESS_LOG ?? 'silent' }, pino.destination(2)),
  concurrency: 4,
  leaseSeconds: 5,
  sweepSeconds: IDLE_MILLISECONDS / 1000,
  pace,
});

process.on('message', (order: Order) => {
  if (order.kind === 'clock') aheadMilliseconds = order.aheadMilliseconds;
  else if (order.kind === 'die') mortality.ordain(order.death);
  else void work();
});
process.once('disconnect', () => process.exit(0));
// Who is killed keeps nothing at its end.
flushCompileCache();
process.send?.('ready');

async function work(): Promise<void> {
  await runner.start();
  await Promise.all([handleEvents(), handleEvents()]);
}

async function handleEvents(): Promise<void> {
  for (;;) if ((await world.events.processDue(20)) === 0) await sleep(IDLE_MILLISECONDS);
}
