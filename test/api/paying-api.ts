import { afterAll, afterEach, beforeAll } from 'vitest';
import { systemClock } from '#libs/kernel';
import { CardsService, PaymentCalls, ProviderEvents } from '#libs/payments';
import { type Emulator, startEmulator } from '#libs/payments/emulator';
import { StripeProvider } from '#libs/payments/stripe';
import { FindingsService } from '#libs/placement';
import { SagaStore } from '#libs/saga';
import { runToEnd } from '#libs/saga/harness';
import { type CollectingDeps, moneyWorkflows } from '#libs/workflows';
import { freePort } from '../support/ports.ts';
import { type TestApi, testApi } from './test-api.ts';

const KEY = 'sk_test_emulated';
const SECRET = 'whsec_emulated';

/** An API that listens on a port of its own, and a Stripe that moves no money and tells it what happens there. */
export interface PayingApi {
  readonly current: TestApi;
  readonly emulator: Emulator;
  readonly deps: CollectingDeps;
  /** Does what the worker does: acts on what the webhooks told, and runs the workflows of money. */
  readonly settle: () => Promise<void>;
}

/** Gives a spec file such an API. Await it at the top of the file: addresses are known before anything starts. */
export async function payingApi(variables: Readonly<Record<string, string>> = {}): Promise<PayingApi> {
  const [apiPort, stripePort] = [await freePort(), await freePort()];
  const origin = `http://127.0.0.1:${apiPort}`;
  const stripe = {
    SERVERY_URL: origin,
    STRIPE_SECRET_KEY: KEY,
    STRIPE_WEBHOOK_SECRET: SECRET,
    STRIPE_API_HOST: '127.0.0.1',
    STRIPE_API_PORT: String(stripePort),
  };
  const api = testApi(undefined, { ...stripe, ...variables });
  let emulator: Emulator;
  let deps: CollectingDeps;

  beforeAll(async () => {
    const webhookUrl = `${origin}/v1/webhooks/stripe`;
    emulator = await startEmulator({ port: stripePort, apiKey: KEY, webhookUrl, webhookSecret: SECRET });
    await api.current.api.app.listen(apiPort, '127.0.0.1');
    deps = depsOf(api.current, stripePort);
  });
  afterEach(() => emulator.clearFaults());
  afterAll(() => emulator?.close());

  return {
    get current() {
      return api.current;
    },
    get emulator() {
      return emulator;
    },
    get deps() {
      return deps;
    },
    settle: async () => {
      await emulator.idle();
      await api.current.get<ProviderEvents>(ProviderEvents).processDue();
      const world = { dataSource: deps.dataSource, sagas: moneyWorkflows(deps), close: async () => {} };
      const due = await deps.dataSource.query<{ id: number; name: string }[]>(
        'SELECT id, name FROM sagas WHERE finished_at IS NULL ORDER BY seq',
      );
      for (const { id, name } of due) await runToEnd(world, name, id, []);
      await emulator.idle();
      await api.current.get<ProviderEvents>(ProviderEvents).processDue();
    },
  };
}

function depsOf(api: TestApi, stripePort: number): CollectingDeps {
  return {
    dataSource: api.dataSource,
    provider: new StripeProvider({
      secretKey: KEY,
      webhookSecret: SECRET,
      server: { host: '127.0.0.1', port: stripePort, protocol: 'http' },
    }),
    calls: api.get(PaymentCalls),
    cards: api.get(CardsService),
    sagas: api.get(SagaStore),
    findings: api.get(FindingsService),
    clock: systemClock,
  };
}
