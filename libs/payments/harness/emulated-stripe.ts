import Stripe from 'stripe';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { type Emulator, type EmulatorOptions, startEmulator } from '../emulator/index.ts';
import { type RecordedCall, startRecordingProxy } from './recording-proxy.ts';

const API_KEY = 'sk_test_emulated';

/** The real client of Stripe, on an emulator of its own for this spec file; what they say is recorded. */
export interface EmulatedStripe {
  readonly emulator: Emulator;
  readonly stripe: Stripe;
  readonly calls: readonly RecordedCall[];
  /** A customer with a card that is set up and their default one. */
  readonly customer: (card?: string, given?: Stripe.CustomerCreateParams) => Promise<Stripe.Customer>;
  /** The types of all events so far about an object, oldest first. */
  readonly eventsOf: (id: string) => Promise<string[]>;
}

export function emulatedStripe(options: Partial<EmulatorOptions> = {}): EmulatedStripe {
  let emulator: Emulator;
  let proxy: Awaited<ReturnType<typeof startRecordingProxy>>;
  let stripe: Stripe;
  beforeAll(async () => {
    emulator = await startEmulator({ port: 0, apiKey: API_KEY, ...options });
    proxy = await startRecordingProxy(emulator.url);
    stripe = new Stripe(API_KEY, {
      host: '127.0.0.1',
      port: proxy.port,
      protocol: 'http',
      telemetry: false,
      maxNetworkRetries: 0,
      timeout: 2000,
    });
  });
  afterEach(() => emulator.clearFaults());
  afterAll(async () => {
    await proxy?.close();
    await emulator?.close();
  });
  return {
    get emulator() {
      return emulator;
    },
    get stripe() {
      return stripe;
    },
    get calls() {
      return proxy.calls;
    },
    customer: async (card = 'pm_card_visa', given = {}) => {
      const { id } = await stripe.customers.create({ email: 'ada@example.test', name: 'Ada', ...given });
      const method = await stripe.paymentMethods.attach(card, { customer: id });
      const setup = { customer: id, payment_method: method.id, confirm: true } as const;
      await stripe.setupIntents.create(setup);
      return stripe.customers.update(id, { invoice_settings: { default_payment_method: method.id } });
    },
    eventsOf: async (id) => {
      const types: string[] = [];
      for await (const event of stripe.events.list({ limit: 100 })) {
        const object = event.data.object as unknown as { id?: string };
        if (object.id === id) types.unshift(event.type);
      }
      return types;
    },
  };
}
