import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { expireSessions } from './checkout.ts';
import { type FaultPlan, Faults, faultsSchema } from './faults.ts';
import { type Ledger, ledgerOf } from './ledger.ts';
import { expireHolds } from './payment-intents.ts';
import { buildServer } from './server.ts';
import { Store } from './store.ts';
import { Deliverer } from './webhooks.ts';
import { World } from './world.ts';

export interface EmulatorOptions {
  /** 0 for any free port. */
  readonly port: number;
  /** Must be a loopback address: this is no place for real cards. */
  readonly host?: string;
  /** The secret key that clients must show: `sk_test_…`. */
  readonly apiKey: string;
  /** Where events are sent; without it they are only listed. */
  readonly webhookUrl?: string;
  readonly webhookSecret?: string;
  /** Wait before an event is sent again, doubled each time. */
  readonly webhookRetryMilliseconds?: number;
  /** Keeps everything across restarts of the process. Without it, all is forgotten. */
  readonly stateFile?: string;
}

export interface Emulator {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  readonly port: number;
  readonly close: () => Promise<void>;
  /** What is held, captured and refunded, by customer and by hold. */
  readonly ledger: () => Ledger;
  readonly addFaults: (plan: FaultPlan) => void;
  readonly clearFaults: () => void;
  /** Moves the emulator's clock forward and lets what is due expire. */
  readonly advance: (seconds: number) => void;
}

const LOOPBACK = /^(127\.\d+\.\d+\.\d+|::1|localhost)$/;
const TICK_MILLISECONDS = 1000;

/**
 * Starts a Stripe that moves no money, on this machine only.
 * @throws Error with NODE_ENV=production, outside of loopback, or with a key that is not a test key.
 */
export async function startEmulator(options: EmulatorOptions): Promise<Emulator> {
  refuseUnsafe(options);
  const host = options.host ?? '127.0.0.1';
  const store = new Store(options.stateFile);
  const faults = new Faults();
  const deliverer = new Deliverer(store, faults, endpointOf(options));
  const world = new World(store, (event) => deliverer.accept(event));
  const app = buildServer(world, faults, options.apiKey);
  const tick = () => {
    expireHolds(world);
    expireSessions(world);
    store.commit();
  };
  const advance = (seconds: number) => {
    const offsetSeconds = (store.get('clock', 'clock')?.offsetSeconds ?? 0) + seconds;
    store.put('clock', { id: 'clock', offsetSeconds });
    tick();
  };
  addControls(app, world, faults, advance);
  await app.listen({ port: options.port, host });
  const { port } = app.server.address() as AddressInfo;
  world.publicUrl = `http://${host}:${port}`;
  deliverer.resume();
  const timer = setInterval(tick, TICK_MILLISECONDS);
  return {
    url: world.publicUrl,
    port,
    close: async () => {
      clearInterval(timer);
      await app.close();
      await deliverer.close();
      store.commit();
    },
    ledger: () => ledgerOf(world),
    addFaults: (plan) => faults.add(plan),
    clearFaults: () => faults.clear(),
    advance,
  };
}

function refuseUnsafe(options: EmulatorOptions): void {
  if (process.env.NODE_ENV === 'production') {
    throw new Error(
      'The Stripe emulator refuses to start with NODE_ENV=production: set STRIPE_SECRET_KEY instead.',
    );
  }
  if (!LOOPBACK.test(options.host ?? '127.0.0.1')) {
    throw new Error(`The Stripe emulator listens on loopback only, not on ${options.host}.`);
  }
  if (!options.apiKey.startsWith('sk_test_')) {
    throw new Error('The Stripe emulator wants a key that begins with sk_test_.');
  }
  if (options.webhookUrl && !options.webhookSecret) {
    throw new Error('The Stripe emulator needs a webhookSecret to sign what it sends to webhookUrl.');
  }
}

function endpointOf(options: EmulatorOptions) {
  if (!options.webhookUrl || !options.webhookSecret) return undefined;
  return {
    url: options.webhookUrl,
    secret: options.webhookSecret,
    retryMilliseconds: options.webhookRetryMilliseconds ?? 1000,
  };
}

const clockSchema = z.strictObject({
  advanceSeconds: z
    .int()
    .min(1)
    .max(366 * 86_400),
});

/** The levers of tests, which real Stripe does not have. JSON only, so no web page can pull them by a form. */
function addControls(
  app: FastifyInstance,
  world: World,
  faults: Faults,
  advance: (seconds: number) => void,
): void {
  app.get('/_emulator/ledger', () => ledgerOf(world));
  app.get('/_emulator/health', () => ({ isEmulator: true, now: world.now() }));
  app.get('/_emulator/faults', () => faults.pending());
  app.delete('/_emulator/faults', () => {
    faults.clear();
    return faults.pending();
  });
  app.post('/_emulator/faults', (request, reply) => {
    const plan = faultsSchema.safeParse(request.body);
    if (!plan.success) return reply.code(400).send({ error: { message: z.prettifyError(plan.error) } });
    faults.add(plan.data);
    return faults.pending();
  });
  app.post('/_emulator/clock', (request, reply) => {
    const move = clockSchema.safeParse(request.body);
    if (!move.success) return reply.code(400).send({ error: { message: z.prettifyError(move.error) } });
    advance(move.data.advanceSeconds);
    return { now: world.now() };
  });
}
