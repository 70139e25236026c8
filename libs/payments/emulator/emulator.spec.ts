import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { confirmWithBank, submit } from '../harness/index.ts';
import { type Emulator, type EmulatorOptions, signatureOf, startEmulator } from './index.ts';

const KEY = 'sk_test_emulator';
const SECRET = 'whsec_emulator';

interface Body {
  id: string;
  object: string;
  status: string;
  data: Body[];
  error: { type: string; code?: string; param?: string; message: string; payment_intent?: Body };
  [field: string]: unknown;
}

interface Answer {
  status: number;
  headers: Headers;
  body: Body;
}

let emulator: Emulator;
const folder = mkdtempSync(join(tmpdir(), 'servery-stripe-'));

beforeAll(async () => {
  emulator = await startEmulator({ port: 0, apiKey: KEY });
});
afterEach(() => emulator.clearFaults());
afterAll(async () => {
  await emulator.close();
  rmSync(folder, { recursive: true });
});

async function call(
  method: string,
  path: string,
  form: string | Record<string, string> = '',
  headers: Record<string, string> = {},
  on = emulator,
): Promise<Answer> {
  const body = new URLSearchParams(form).toString();
  const isRead = method === 'GET';
  const response = await fetch(`${on.url}${path}${isRead && body ? `?${body}` : ''}`, {
    method,
    headers: { authorization: `Bearer ${KEY}`, ...headers },
    ...(isRead ? {} : { body: new URLSearchParams(body) }),
  });
  return { status: response.status, headers: response.headers, body: (await response.json()) as Body };
}

const post = (path: string, form?: string | Record<string, string>, headers?: Record<string, string>) =>
  call('POST', path, form, headers);
const get = (path: string, form?: Record<string, string>) => call('GET', path, form);

async function heldIntent(more: Record<string, string> = {}): Promise<Body> {
  const form = {
    amount: '900',
    currency: 'eur',
    capture_method: 'manual',
    payment_method: 'pm_card_visa',
    ...more,
  };
  return (await post('/v1/payment_intents', { ...form, confirm: 'true' })).body;
}

describe('a request that is wrong', () => {
  it.each([
    ['GET', '/v1/nothing', {}, 404, { type: 'invalid_request_error' }],
    ['DELETE', '/v1/payment_intents/pi_1', {}, 404, { type: 'invalid_request_error' }],
    ['GET', '/v1/customers/cus_none', {}, 404, { code: 'resource_missing', param: 'id' }],
    ['POST', '/v1/customers', { nonsense: '1' }, 400, { code: 'parameter_unknown', param: 'nonsense' }],
    [
      'POST',
      '/v1/customers',
      { 'invoice_settings[x]': '1' },
      400,
      { code: 'parameter_unknown', param: 'invoice_settings[x]' },
    ],
    ['POST', '/v1/customers', { 'email[a]': '1' }, 400, { param: 'email' }],
    ['POST', '/v1/customers', { '__proto__[polluted]': '1' }, 400, { type: 'invalid_request_error' }],
    ['POST', '/v1/customers', { 'a[b][c][d][e][f][g]': '1' }, 400, { type: 'invalid_request_error' }],
    ['POST', '/v1/payment_intents', { currency: 'eur' }, 400, { code: 'parameter_missing', param: 'amount' }],
    [
      'POST',
      '/v1/payment_intents',
      { amount: '9.5', currency: 'eur' },
      400,
      { code: 'parameter_invalid_integer', param: 'amount' },
    ],
    [
      'POST',
      '/v1/payment_intents',
      { amount: '49', currency: 'eur' },
      400,
      { code: 'amount_too_small', param: 'amount' },
    ],
    ['POST', '/v1/payment_intents', { amount: '900', currency: 'euro' }, 400, { param: 'currency' }],
    [
      'POST',
      '/v1/payment_intents',
      { amount: '900', currency: 'eur', customer: 'cus_none' },
      404,
      { param: 'customer' },
    ],
    [
      'POST',
      '/v1/payment_intents',
      { amount: '900', currency: 'eur', confirm: 'true' },
      400,
      { code: 'payment_intent_unexpected_state' },
    ],
    ['GET', '/v1/customers', { limit: '101' }, 400, { param: 'limit' }],
    ['GET', '/v1/customers', { starting_after: 'cus_none' }, 404, { param: 'starting_after' }],
    ['GET', '/v1/customers', { 'expand[]': 'data.secret' }, 400, { param: 'expand' }],
    [
      'POST',
      '/v1/checkout/sessions',
      { mode: 'subscription', success_url: 'http://a.test' },
      400,
      { param: 'mode' },
    ],
    [
      'POST',
      '/v1/checkout/sessions',
      { mode: 'setup', success_url: 'no url' },
      400,
      { param: 'success_url' },
    ],
  ])('%s %s %j is refused in Stripe’s envelope', async (method, path, form, status, error) => {
    if (form && 'expand[]' in form) await post('/v1/customers');
    const answer = await call(method, path, form as Record<string, string>);
    expect(answer.body.error).toMatchObject(error);
    expect(answer.body.error.message).not.toBe('');
    expect(answer.status).toBe(status);
    expect(answer.headers.get('request-id')).toMatch(/^req_/);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  it.each([{ authorization: 'Bearer sk_test_other' }, { authorization: '' }])(
    'with %j is not let in',
    async (headers) => {
      const answer = await post('/v1/customers', {}, headers);
      expect([answer.status, answer.body.error.type]).toEqual([401, 'invalid_request_error']);
    },
  );

  it('that is too large is refused, and the next one is served', async () => {
    const answer = await post('/v1/customers', { name: 'x'.repeat(300_000) });
    expect([answer.status, answer.body.error.type]).toEqual([413, 'invalid_request_error']);
    expect((await post('/v1/customers')).status).toBe(200);
  });
});

describe('an idempotency key', () => {
  const keyed = (key: string) => ({ 'idempotency-key': key });

  it('answers the same request again without doing it again', async () => {
    const first = await post('/v1/customers', { email: 'a@b.test' }, keyed('k1'));
    const second = await post('/v1/customers', { email: 'a@b.test' }, keyed('k1'));
    expect(second.body).toEqual(first.body);
    expect(first.headers.get('idempotent-replayed')).toBeNull();
    expect(second.headers.get('idempotent-replayed')).toBe('true');
    expect((await get('/v1/customers', { email: 'a@b.test' })).body.data).toHaveLength(1);
  });

  it('is refused for another request', async () => {
    await post('/v1/customers', { email: 'a@b.test' }, keyed('k2'));
    for (const [path, form] of [
      ['/v1/customers', { email: 'c@d.test' }],
      ['/v1/setup_intents', { email: 'a@b.test' }],
    ] as const) {
      const answer = await post(path, form, keyed('k2'));
      expect([answer.status, answer.body.error.type]).toEqual([400, 'idempotency_error']);
    }
  });

  it('is in use while its first request runs', async () => {
    emulator.addFaults({ api: [{ match: 'POST /v1/customers', effect: 'latency', milliseconds: 300 }] });
    const first = post('/v1/customers', {}, keyed('k3'));
    await new Promise((resolve) => setTimeout(resolve, 50));
    const second = await post('/v1/customers', {}, keyed('k3'));
    expect([second.status, second.body.error.code]).toEqual([409, 'idempotency_key_in_use']);
    const third = await first.then(() => post('/v1/customers', {}, keyed('k3')));
    expect(third.body.id).toBe((await first).body.id);
  });

  it('remembers a decline and a failure, and forgets what never began', async () => {
    const declined = {
      amount: '900',
      currency: 'eur',
      confirm: 'true',
      payment_method: 'pm_card_chargeCustomerFail',
    };
    const first = await post('/v1/payment_intents', declined, keyed('k4'));
    const second = await post('/v1/payment_intents', declined, keyed('k4'));
    expect([first.status, first.body.error.code]).toEqual([402, 'card_declined']);
    expect(second.body).toEqual(first.body);
    emulator.addFaults({ api: [{ match: '*', effect: 'error_500' }] });
    expect((await post('/v1/customers', {}, keyed('k5'))).status).toBe(500);
    expect((await post('/v1/customers', {}, keyed('k5'))).status).toBe(500);
    emulator.addFaults({ api: [{ match: '*', effect: 'error_429' }] });
    expect((await post('/v1/customers', {}, keyed('k6'))).status).toBe(429);
    expect((await post('/v1/customers', { wrong: '1' }, keyed('k6'))).status).toBe(400);
    expect((await post('/v1/customers', {}, keyed('k6'))).status).toBe(200);
  });

  it('is forgotten after a day', async () => {
    const other = await startEmulator({ port: 0, apiKey: KEY });
    const first = await call('POST', '/v1/customers', {}, keyed('k7'), other);
    other.advance(25 * 3600);
    const second = await call('POST', '/v1/customers', {}, keyed('k7'), other);
    expect(second.body.id).not.toBe(first.body.id);
    await other.close();
  });
});

describe('lists', () => {
  it('go page by page, newest first, both ways', async () => {
    const other = await startEmulator({ port: 0, apiKey: KEY });
    const ids: string[] = [];
    for (let count = 0; count < 5; count += 1)
      ids.unshift((await call('POST', '/v1/customers', {}, {}, other)).body.id);
    const page = async (form: Record<string, string>) => {
      const { body } = await call('GET', '/v1/customers', { limit: '2', ...form }, {}, other);
      return [body.data.map((customer) => ids.indexOf(customer.id)), body.has_more];
    };
    expect(await page({})).toEqual([[0, 1], true]);
    expect(await page({ starting_after: String(ids[1]) })).toEqual([[2, 3], true]);
    expect(await page({ starting_after: String(ids[3]) })).toEqual([[4], false]);
    expect(await page({ ending_before: String(ids[4]) })).toEqual([[2, 3], true]);
    await other.close();
  });

  it('hold what expand asks for', async () => {
    const customer = (await post('/v1/customers', { name: 'Ada' })).body;
    const intent = await heldIntent({ customer: customer.id });
    const expand = 'expand[0]=data.latest_charge&expand[1]=data.customer';
    const { body } = await call('GET', '/v1/payment_intents', `customer=${customer.id}&${expand}`);
    expect(body.data[0]).toMatchObject({
      id: intent.id,
      customer: { name: 'Ada' },
      latest_charge: { captured: false },
    });
  });
});

describe('a payment intent', () => {
  it('is held, captured in part, and refunded no further than that', async () => {
    const intent = await heldIntent();
    expect(intent).toMatchObject({ status: 'requires_capture', amount_capturable: 900, amount_received: 0 });
    const capture = (amount: string) =>
      post(`/v1/payment_intents/${intent.id}/capture`, { amount_to_capture: amount });
    expect((await capture('901')).body.error).toMatchObject({ code: 'amount_too_large' });
    expect((await capture('0')).status).toBe(400);
    expect((await capture('600')).body).toMatchObject({
      status: 'succeeded',
      amount_capturable: 0,
      amount_received: 600,
    });
    expect((await capture('300')).body.error).toMatchObject({
      code: 'payment_intent_unexpected_state',
      payment_intent: { status: 'succeeded' },
    });
    expect((await post(`/v1/payment_intents/${intent.id}/cancel`)).status).toBe(400);
    const refund = (amount: string) => post('/v1/refunds', { payment_intent: intent.id, amount });
    expect((await refund('601')).body.error.param).toBe('amount');
    expect((await refund('600')).body).toMatchObject({ amount: 600, status: 'succeeded' });
    expect((await refund('1')).body.error.code).toBe('charge_already_refunded');
    const line = emulator.ledger().intents.find((entry) => entry.holdId === intent.id);
    expect(line).toMatchObject({ heldMinor: 0, capturedMinor: 600, refundedMinor: 600 });
  });

  it('is let go by cancelling, and cannot be confirmed or captured then', async () => {
    const intent = await heldIntent();
    const canceled = await post(`/v1/payment_intents/${intent.id}/cancel`, {
      cancellation_reason: 'abandoned',
    });
    expect(canceled.body).toMatchObject({
      status: 'canceled',
      amount_capturable: 0,
      cancellation_reason: 'abandoned',
    });
    for (const action of ['confirm', 'capture', 'cancel']) {
      const answer = await post(`/v1/payment_intents/${intent.id}/${action}`);
      expect(answer.body.error.code).toBe('payment_intent_unexpected_state');
    }
  });

  it('takes another card after a decline', async () => {
    const first = await post('/v1/payment_intents', {
      amount: '900',
      currency: 'eur',
      confirm: 'true',
      payment_method: 'pm_card_visa_chargeDeclinedInsufficientFunds',
    });
    expect(first.body.error).toMatchObject({
      type: 'card_error',
      code: 'card_declined',
      decline_code: 'insufficient_funds',
    });
    const id = first.body.error.payment_intent?.id;
    const second = await post(`/v1/payment_intents/${id}/confirm`, { payment_method: 'pm_card_visa' });
    expect(second.body).toMatchObject({
      status: 'succeeded',
      amount_received: 900,
      last_payment_error: null,
    });
  });

  it('does not take the card of another customer', async () => {
    const owner = (await post('/v1/customers')).body.id;
    const thief = (await post('/v1/customers')).body.id;
    const card = (await post('/v1/payment_methods/pm_card_visa/attach', { customer: owner })).body.id;
    const form = { amount: '900', currency: 'eur', payment_method: card, customer: thief };
    expect((await post('/v1/payment_intents', form)).body.error.param).toBe('payment_method');
  });

  it('expires with its hold after seven days', async () => {
    const other = await startEmulator({ port: 0, apiKey: KEY });
    const form = {
      amount: '900',
      currency: 'eur',
      capture_method: 'manual',
      payment_method: 'pm_card_visa',
      confirm: 'true',
    };
    const { id } = (await call('POST', '/v1/payment_intents', form, {}, other)).body;
    other.advance(6 * 86_400);
    expect(other.ledger().openHolds).toBe(1);
    other.advance(86_400);
    expect(other.ledger().openHolds).toBe(0);
    const { body } = await call('GET', `/v1/payment_intents/${id}`, {}, {}, other);
    expect(body).toMatchObject({ status: 'canceled', cancellation_reason: 'automatic' });
    await other.close();
  });
});

describe('the hosted page', () => {
  async function openPage(successUrl = 'http://127.0.0.1:9/back?id={CHECKOUT_SESSION_ID}') {
    const customer = (await post('/v1/customers')).body.id;
    const form = {
      mode: 'setup',
      currency: 'eur',
      customer,
      success_url: successUrl,
      cancel_url: 'http://127.0.0.1:9/no',
    };
    const session = (await post('/v1/checkout/sessions', form)).body;
    return { customer, id: session.id, url: String(session.url) };
  }
  const card = (number: string, more: object = {}) => ({
    number,
    expiry: '12 / 34',
    cvc: '123',
    name: 'Ada',
    ...more,
  });
  const statusOf = async (id: string) => (await get(`/v1/checkout/sessions/${id}`)).body.status;

  it('says that no real money is moved, and needs no script', async () => {
    const { url } = await openPage();
    const page = await (await fetch(url)).text();
    expect(page).toContain('Stripe emulator: no real money.');
    expect(page).toContain('name="viewport"');
    expect(page).not.toContain('<script');
    for (const name of ['number', 'expiry', 'cvc', 'name']) expect(page).toContain(`<label for="${name}">`);
  });

  it('saves a card and goes back to the shop, once', async () => {
    const { id, url, customer } = await openPage();
    expect(await submit(url, card('4242 4242 4242 4242'))).toBe(`http://127.0.0.1:9/back?id=${id}`);
    expect(await statusOf(id)).toBe('complete');
    expect(await submit(url, card('5555555555554444'))).toContain('Your card is saved');
    const saved = (await get(`/v1/customers/${customer}/payment_methods`)).body.data;
    expect(saved.map((method) => (method.card as { last4: string }).last4)).toEqual(['4242']);
  });

  it.each([
    ['4242424242424241', {}, 'number', 'Your card number is incorrect.'],
    ['1234', {}, 'number', 'Your card number is incorrect.'],
    ['', {}, 'number', 'Enter your card number.'],
    ['4242424242424242', { expiry: '13 / 30' }, 'expiry', 'Enter the expiry date'],
    ['4242424242424242', { expiry: '01 / 20' }, 'expiry', 'expiration year is invalid'],
    ['4242424242424242', { cvc: '12' }, 'cvc', 'security code is invalid'],
    ['4242424242424242', { cvc: '' }, 'cvc', 'Enter your card&#39;s security code'],
    ['4000000000000069', {}, 'expiry', 'Your card has expired.'],
    ['4000000000000127', {}, 'cvc', 'security code is incorrect'],
    ['4000000000000002', {}, 'form', 'Your card was declined.'],
    ['4000000000009995', {}, 'form', 'Your card has insufficient funds.'],
    ['4111111111111111', {}, 'form', 'used a non test card'],
  ])('refuses %s %j at the field %s', async (number, more, field, message) => {
    const { id, url, customer } = await openPage();
    const page = await submit(url, card(number, more));
    expect(page).toContain(message);
    if (field !== 'form') expect(page).toContain(`aria-describedby="${field}-error"`);
    expect(page).toContain('role="alert"');
    expect(await statusOf(id)).toBe('open');
    expect((await get(`/v1/customers/${customer}/payment_methods`)).body.data).toEqual([]);
    expect(await submit(url, card('4242424242424242'))).toContain('/back?id=');
  });

  it('asks the bank: yes, no and no answer at all', async () => {
    const { id, url } = await openPage();
    const abandoned = await submit(url, card('4000002500003155'));
    expect(abandoned).toContain('/3ds/setup/');
    expect(await statusOf(id)).toBe('open');
    expect(await confirmWithBank(abandoned, 'fail')).toBe(url);
    expect(await (await fetch(url)).text()).toContain('could not confirm that it is you');
    const asked = await submit(url, card('4000002500003155'));
    expect(await confirmWithBank(asked)).toContain('/back?id=');
    expect(await statusOf(id)).toBe('complete');
  });

  it('does not ask the bank for somebody who does not know the secret', async () => {
    const { url } = await openPage();
    const asked = new URL(await submit(url, card('4000002500003155')));
    asked.searchParams.set('secret', 'guess');
    expect((await fetch(asked)).status).toBe(404);
    expect(await confirmWithBank(asked.href)).toContain('does not exist');
  });

  it('writes nothing that was typed into the page as markup', async () => {
    const { url } = await openPage();
    const page = await submit(url, card('"><script>1</script>', { name: '<img src=x onerror=1>' }));
    expect(page).not.toContain('<script>');
    expect(page).not.toContain('<img');
  });

  it('closes after a day', async () => {
    const other = await startEmulator({ port: 0, apiKey: KEY });
    const form = { mode: 'setup', success_url: 'http://127.0.0.1:9/back' };
    const session = (await call('POST', '/v1/checkout/sessions', form, {}, other)).body;
    other.advance(25 * 3600);
    expect((await fetch(String(session.url))).status).toBe(410);
    expect(await submit(String(session.url), card('4242424242424242'))).toContain('expired');
    await other.close();
  });
});

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
