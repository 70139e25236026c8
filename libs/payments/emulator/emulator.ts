import type { AddressInfo } from 'node:net';
import { addControls, disputePayment } from './controls.ts';
import { closeDispute, escalateInquiry } from './disputes.ts';
import { type FaultPlan, Faults } from './faults.ts';
import { type Fees, USUAL_FEES } from './fees.ts';
import { forgetOld } from './housekeeping.ts';
import { type Ledger, ledgerOf } from './ledger.ts';
import { failPayout, payOut } from './payouts.ts';
import { reactions } from './reactions.ts';
import { failRefund } from './refunds.ts';
import { buildServer } from './server.ts';
import { Store } from './store.ts';
import { advanceWorld, finishClocks } from './timeline.ts';
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
  /** The types of the events that are sent, as an endpoint at Stripe chooses them; all unless told. */
  readonly webhookEvents?: readonly string[];
  /** Wait before an event is sent for the second time; the waits that follow keep Stripe's proportions to it. */
  readonly webhookRetryMilliseconds?: number;
  /** Keeps everything across restarts of the process. Without it, all is forgotten. */
  readonly stateFile?: string;
  /** {@link USUAL_FEES} unless told. */
  readonly fees?: Fees;
  /** How often all that is available is paid out by itself; never unless told. */
  readonly payoutEveryDays?: number;
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
  /** How often each effect of a fault has struck so far. */
  readonly struckFaults: () => Readonly<Record<string, number>>;
  /** Moves the emulator's clock forward; what is due on the way happens, each thing at its own moment. */
  readonly advance: (seconds: number) => void;
  /** Unix seconds by the emulator's clock. */
  readonly now: () => number;
  /** Events that the endpoint has not answered yet and that will be sent again. */
  readonly pendingWebhooks: () => number;
  /** Waits until no webhook is under way; those held back, or to be sent again later, are not waited for. */
  readonly idle: () => Promise<void>;
  /** A customer disputes a payment (`pi_…` or `ch_…`), or a part of it. Answers the dispute's id. */
  readonly dispute: (asked: {
    payment: string;
    amountMinor?: number;
    reason?: string;
    /** The bank asks, and takes nothing yet. */
    isInquiry?: boolean;
  }) => string;
  /** An inquiry becomes a dispute. */
  readonly escalateInquiry: (id: string) => void;
  readonly closeDispute: (id: string, outcome: 'won' | 'lost') => void;
  /** A refund comes back. */
  readonly failRefund: (id: string) => void;
  /** Sends what is available to the bank. Answers the payouts' ids. */
  readonly payOut: () => string[];
  readonly failPayout: (id: string) => void;
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
  const { fees = USUAL_FEES, payoutEveryDays = 0 } = options;
  const world = new World(store, (event) => deliverer.accept(event), reactions, { fees, payoutEveryDays });
  const app = buildServer(world, faults, options.apiKey);
  const advance = (seconds: number) => {
    advanceWorld(world, seconds);
    deliverer.hasten(seconds);
    forgetOld(world);
    store.commit();
  };
  app.addHook('onResponse', async () => {
    finishClocks(world);
    store.commit();
  });
  addControls(app, { world, faults, advance, pendingWebhooks: () => deliverer.pending() });
  await app.listen({ port: options.port, host });
  const { port } = app.server.address() as AddressInfo;
  world.publicUrl = `http://${host}:${port}`;
  deliverer.resume();
  const timer = setInterval(() => advance(0), TICK_MILLISECONDS);
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
    struckFaults: () => faults.struck(),
    advance,
    now: () => world.now(),
    pendingWebhooks: () => deliverer.pending(),
    idle: () => deliverer.idle(),
    dispute: (asked) => {
      const { id } = disputePayment(world, asked);
      store.commit();
      return id;
    },
    escalateInquiry: (id) => {
      escalateInquiry(world, world.find('dispute', id, 'dispute'));
      store.commit();
    },
    closeDispute: (id, outcome) => {
      closeDispute(world, world.find('dispute', id, 'dispute'), outcome);
      store.commit();
    },
    failRefund: (id) => {
      failRefund(world, id);
      store.commit();
    },
    payOut: () => {
      const payouts = payOut(world);
      store.commit();
      return payouts.map(({ id }) => id);
    },
    failPayout: (id) => {
      failPayout(world, id);
      store.commit();
    },
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
    events: options.webhookEvents && new Set(options.webhookEvents),
  };
}
