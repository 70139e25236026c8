import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import type { DataSource } from 'typeorm';
import { type Clock, newId, systemClock } from '#libs/kernel';
import { CardsService } from '../cards.service.ts';
import { type Emulator, type EmulatorOptions, startEmulator } from '../emulator/index.ts';
import { EventTeller } from '../event-teller.service.ts';
import { HoldsService } from '../holds.service.ts';
import { PaymentCalls } from '../payment-calls.service.ts';
import type { MovedMoney, PaymentsListener } from '../payments.listener.ts';
import { PaymentsService } from '../payments.service.ts';
import { ProviderEvents } from '../provider-events.service.ts';
import { StripeProvider } from '../stripe/index.ts';
import { TopUpsService } from '../top-ups.service.ts';

const API_KEY = 'sk_test_harness';
const WEBHOOK_SECRET = 'whsec_harness';

export interface Move extends Pick<MovedMoney, 'orderId' | 'amountMinor'> {
  readonly kind: 'captured' | 'refunded';
}

/** Payments on a real database, a real client and an emulator that posts its webhooks here. */
export interface PaymentsHarness {
  readonly emulator: Emulator;
  readonly provider: StripeProvider;
  readonly payments: PaymentsService;
  readonly cards: CardsService;
  readonly topUps: TopUpsService;
  readonly events: ProviderEvents;
  readonly calls: PaymentCalls;
  /** What the listener was told in transactions that were committed. */
  readonly moves: () => Promise<Move[]>;
  /** A new account with a card, entered on the hosted page. */
  readonly accountWithCard: (number?: string) => Promise<number>;
  /** Enters a card on the hosted page, answering the bank's question with yes. */
  readonly enterCard: (accountId: number, number: string) => Promise<string>;
  readonly close: () => Promise<void>;
}

export interface HarnessOptions {
  readonly timeoutMilliseconds?: number;
  readonly clock?: Clock;
  readonly emulator?: Partial<EmulatorOptions>;
  /** Told what becomes of money, in place of one that keeps `moves`. */
  readonly listener?: Partial<PaymentsListener>;
  /** Put between the client and the emulator, to watch them. */
  readonly through?: (emulatorUrl: string) => Promise<{ host: string; port: number }>;
}

export async function startPayments(
  dataSource: DataSource,
  options: HarnessOptions = {},
): Promise<PaymentsHarness> {
  await dataSource.query(`CREATE TABLE IF NOT EXISTS test_moves
    (seq bigint GENERATED ALWAYS AS IDENTITY, kind text, order_id bigint, amount_minor bigint)`);
  let receive: (body: Buffer, signature: string) => Promise<unknown> = () =>
    Promise.reject(new Error('not ready'));
  const webhooks = await listenForWebhooks((body, signature) => receive(body, signature));
  const emulator = await startEmulator({
    port: 0,
    apiKey: API_KEY,
    webhookSecret: WEBHOOK_SECRET,
    webhookUrl: `http://127.0.0.1:${portOf(webhooks)}/webhooks/stripe`,
    webhookRetryMilliseconds: 20,
    ...options.emulator,
  });
  const server = (await options.through?.(emulator.url)) ?? { host: '127.0.0.1', port: emulator.port };
  const clock: Clock = { now: () => new Date(emulator.now() * 1000) };
  const listener = { ...recorder(), ...options.listener };
  const services = connectPayments(dataSource, server, listener, { clock, ...options });
  receive = (body, signature) => services.events.receive(body, signature);
  const enterCard = (accountId: number, number: string) => enter(services.cards, accountId, number);
  return {
    emulator,
    ...services,
    enterCard,
    accountWithCard: async (number = '4242424242424242') => {
      const accountId = newId();
      await services.cards.finishSetup(accountId, await enterCard(accountId, number));
      return accountId;
    },
    moves: () =>
      dataSource.query<Move[]>(
        'SELECT kind, order_id AS "orderId", amount_minor AS "amountMinor" FROM test_moves ORDER BY seq',
      ),
    close: async () => {
      await emulator.close();
      await new Promise((resolve) => webhooks.close(resolve));
    },
  };
}

/** Payments of one more process, on the emulator that {@link startPayments} started in another. */
export function connectPayments(
  dataSource: DataSource,
  server: { readonly host: string; readonly port: number },
  listener: PaymentsListener,
  options: Pick<HarnessOptions, 'timeoutMilliseconds' | 'clock'> = {},
) {
  const clock = options.clock ?? systemClock;
  const provider = new StripeProvider({
    secretKey: API_KEY,
    webhookSecret: WEBHOOK_SECRET,
    server: { ...server, protocol: 'http' },
    timeoutMilliseconds: options.timeoutMilliseconds ?? 2000,
    retries: 0,
  });
  const calls = new PaymentCalls(dataSource);
  const cards = new CardsService(dataSource, calls, provider, clock);
  const holds = new HoldsService(dataSource, calls, cards, provider, listener);
  const teller = new EventTeller(dataSource, holds, cards, provider, listener);
  return {
    provider,
    cards,
    topUps: new TopUpsService(dataSource, calls, cards, provider),
    payments: new PaymentsService(holds, cards),
    calls,
    events: new ProviderEvents(dataSource, holds, teller, provider, clock),
  };
}

/** Keeps what it is told in the table that `moves` reads. */
function recorder(): PaymentsListener {
  const record =
    (kind: Move['kind']): PaymentsListener['onCaptured'] =>
    async (manager, money) => {
      await manager.query('INSERT INTO test_moves (kind, order_id, amount_minor) VALUES ($1, $2, $3)', [
        kind,
        money.orderId,
        money.amountMinor,
      ]);
    };
  return { onCaptured: record('captured'), onRefunded: record('refunded'), onHoldChanged: async () => {} };
}

async function enter(cards: CardsService, accountId: number, number: string): Promise<string> {
  const { setupId, url } = await cards.openSetup({
    accountId,
    email: `customer-${accountId}@example.test`,
    currency: 'eur',
    successUrl: 'http://127.0.0.1:9/back?setup={SETUP_ID}',
    cancelUrl: 'http://127.0.0.1:9/back',
  });
  const entered = await submit(url, { number, expiry: '12 / 34', cvc: '123', name: 'Test Customer' });
  if (entered.includes('/3ds/')) await confirmWithBank(entered);
  return setupId;
}

/** Answers the 3-D Secure page at `url`; returns where the browser is sent. */
export function confirmWithBank(url: string, answer: 'complete' | 'fail' = 'complete'): Promise<string> {
  const page = new URL(url);
  const secret = page.searchParams.get('secret') ?? '';
  return submit(`${page.origin}${page.pathname}`, { secret, answer });
}

/** Submits a form and answers where the browser is sent, or the page where it stays. */
export async function submit(url: string, fields: Record<string, string>): Promise<string> {
  const response = await fetch(url, {
    method: 'POST',
    body: new URLSearchParams(fields),
    redirect: 'manual',
  });
  const page = await response.text();
  return response.headers.get('location') ?? page;
}

async function listenForWebhooks(
  receive: (body: Buffer, signature: string) => Promise<unknown>,
): Promise<Server> {
  const server = createServer(async (request, response) => {
    try {
      await receive(await buffer(request), String(request.headers['stripe-signature']));
      response.writeHead(200).end();
    } catch {
      response.writeHead(500).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}
