import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, describe, expect, it } from 'vitest';
import { type Body, call, emulator, get, KEY, startsEmulatorOnce } from './emulator-calls.fixture.ts';
import { type EmulatorOptions, signatureOf, startEmulator } from './index.ts';

const SECRET = 'whsec_emulator';
const folder = mkdtempSync(join(tmpdir(), 'servery-stripe-'));

startsEmulatorOnce();
afterAll(() => rmSync(folder, { recursive: true }));

describe('webhooks', () => {
  interface Received {
    body: string;
    signature: string;
    type: string;
    id: string;
  }
  async function receiver(statusOf: (count: number) => number) {
    const received: Received[] = [];
    const server: Server = createServer(async (request, response) => {
      const body = await text(request);
      const { type, id } = JSON.parse(body) as Body & { type: string };
      received.push({ body, signature: String(request.headers['stripe-signature']), type, id });
      response.writeHead(statusOf(received.length)).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const webhookUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    return { received, webhookUrl, close: () => server.close() };
  }
  async function until(check: () => boolean): Promise<void> {
    for (let count = 0; count < 500 && !check(); count += 1)
      await new Promise((resolve) => setTimeout(resolve, 10));
    expect(check()).toBe(true);
  }
  const start = (webhookUrl: string, more: Partial<EmulatorOptions> = {}) =>
    startEmulator({
      port: 0,
      apiKey: KEY,
      webhookUrl,
      webhookSecret: SECRET,
      webhookRetryMilliseconds: 10,
      ...more,
    });

  it('are signed, and sent again until they are answered', async () => {
    const shop = await receiver((count) => (count < 3 ? 500 : 200));
    const other = await start(shop.webhookUrl);
    await call('POST', '/v1/customers', {}, {}, other);
    await until(() => shop.received.length === 3);
    const [first] = shop.received;
    const seconds = Number(/t=(\d+)/.exec(String(first?.signature))?.[1]);
    expect(first?.signature).toBe(signatureOf(String(first?.body), SECRET, seconds));
    expect(new Set(shop.received.map((event) => event.id)).size).toBe(1);
    const pending = async () =>
      (await call('GET', `/v1/events/${first?.id}`, {}, {}, other)).body.pending_webhooks;
    for (let count = 0; count < 100 && (await pending()) !== 0; count += 1);
    expect(await pending()).toBe(0);
    await other.close();
    shop.close();
  });

  it('tell of what the endpoint has chosen, and all of it is listed', async () => {
    const shop = await receiver(() => 200);
    const other = await start(shop.webhookUrl, { webhookEvents: ['customer.updated'] });
    const { body } = await call('POST', '/v1/customers', {}, {}, other);
    await call('POST', `/v1/customers/${body.id}`, { name: 'Ada' }, {}, other);
    await until(() => shop.received.length === 1);
    await other.idle();
    const listed = (await call('GET', '/v1/events', {}, {}, other)).body.data;
    expect(listed).toMatchObject([{ type: 'customer.updated' }, { type: 'customer.created' }]);
    expect(shop.received.map(({ body }) => JSON.parse(String(body)).type)).toEqual(['customer.updated']);
    expect(other.pendingWebhooks()).toBe(0);
    await other.close();
    shop.close();
  });

  it('can be lost, doubled and late', async () => {
    const shop = await receiver(() => 200);
    const other = await start(shop.webhookUrl);
    const effects = ['lose', 'duplicate', 'delay'] as const;
    other.addFaults({ webhooks: effects.map((effect) => ({ effect, milliseconds: 2000 })) });
    for (const name of ['lost', 'doubled', 'late', 'on time'])
      await call('POST', '/v1/customers', { name }, {}, other);
    await until(() => shop.received.length === 4);
    const seen = shop.received.map(
      ({ body }) => (JSON.parse(body) as { data: { object: { name: string } } }).data.object.name,
    );
    expect(seen.toSorted()).toEqual(['doubled', 'doubled', 'late', 'on time']);
    expect(seen.at(-1)).toBe('late');
    expect((await call('GET', '/v1/events', {}, {}, other)).body.data).toHaveLength(4);
    await other.close();
    shop.close();
  });

  it('can come in reverse', async () => {
    const shop = await receiver(() => 200);
    const other = await start(shop.webhookUrl);
    other.addFaults({ webhooks: [{ effect: 'reorder', times: 3 }] });
    const form = { amount: '900', currency: 'eur', payment_method: 'pm_card_visa', confirm: 'true' };
    await call('POST', '/v1/payment_intents', form, {}, other);
    await until(() => shop.received.length === 3);
    expect(shop.received.map((event) => event.type)).toEqual([
      'payment_intent.succeeded',
      'charge.succeeded',
      'payment_intent.created',
    ]);
    await other.close();
    shop.close();
  });

  it('that were under way when the process stopped are sent by the next one', async () => {
    const stateFile = join(folder, 'pending.jsonl');
    const shop = await receiver((count) => (count === 1 ? 500 : 200));
    const first = await start(shop.webhookUrl, { stateFile, webhookRetryMilliseconds: 300 });
    await call('POST', '/v1/customers', {}, {}, first);
    await until(() => shop.received.length === 1);
    await first.close();
    const second = await start(shop.webhookUrl, { stateFile });
    await until(() => shop.received.length === 2);
    expect(shop.received[1]?.id).toBe(shop.received[0]?.id);
    await second.close();
    shop.close();
  });
});

describe('the process', () => {
  it('keeps everything across a restart, even one that cut its last line', async () => {
    const stateFile = join(folder, 'state.jsonl');
    const options = { port: 0, apiKey: KEY, stateFile };
    const first = await startEmulator(options);
    const keyed = { 'idempotency-key': 'k' };
    const customer = (await call('POST', '/v1/customers', { name: 'Ada' }, keyed, first)).body;
    await first.close();
    appendFileSync(stateFile, '[["customer",{"id":"cus_half"');
    const second = await startEmulator(options);
    expect((await call('GET', `/v1/customers/${customer.id}`, {}, {}, second)).body).toEqual(customer);
    expect((await call('GET', '/v1/customers/cus_half', {}, {}, second)).status).toBe(404);
    expect((await call('POST', '/v1/customers', { name: 'Ada' }, keyed, second)).body.id).toBe(customer.id);
    await second.close();
  });

  it.each([
    [{ host: '0.0.0.0' }, 'loopback only'],
    [{ apiKey: 'sk_live_1' }, 'sk_test_'],
    [{ webhookUrl: 'http://127.0.0.1:1/' }, 'webhookSecret'],
  ])('refuses to start with %j', async (options, reason) => {
    await expect(startEmulator({ port: 0, apiKey: KEY, ...options })).rejects.toThrow(reason);
  });

  it('refuses to start in production', async () => {
    const before = process.env.NODE_ENV;
    process.env.NODE_ENV = 'production';
    try {
      await expect(startEmulator({ port: 0, apiKey: KEY })).rejects.toThrow('NODE_ENV=production');
    } finally {
      process.env.NODE_ENV = before;
    }
  });

  it('takes faults and its clock from the control route, and refuses what it does not know', async () => {
    const control = async (path: string, body: object) => {
      const headers = { 'content-type': 'application/json' };
      const sent = { method: 'POST', headers, body: JSON.stringify(body) };
      return (await fetch(`${emulator.url}/_emulator/${path}`, sent)).status;
    };
    expect(await control('faults', { api: [{ match: '*', effect: 'error_429' }] })).toBe(200);
    expect((await get('/v1/customers')).status).toBe(429);
    expect(await control('faults', { api: [{ match: '*', effect: 'explode' }] })).toBe(400);
    expect(await control('clock', { advanceSeconds: -1 })).toBe(400);
    const ledger = await (await fetch(`${emulator.url}/_emulator/ledger`)).json();
    expect(ledger).toMatchObject({ openHolds: expect.any(Number), intents: expect.any(Array) });
  });
});
