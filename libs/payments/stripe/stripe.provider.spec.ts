import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Emulator, signatureOf, startEmulator } from '../emulator/index.ts';
import { confirmWithBank, startRecordingProxy, submit } from '../harness/index.ts';
import { differencesOf, exampleOf, wrongObjects, wrongRequests } from '../harness/wire.ts';
import { StripeProvider } from './index.ts';

const SECRET = 'whsec_test';
const KEY = 'sk_test_adapter';
let emulator: Emulator;
let proxy: Awaited<ReturnType<typeof startRecordingProxy>>;
let provider: StripeProvider;
let serial = 0;
const key = () => {
  serial += 1;
  return `key-${serial}`;
};

beforeAll(async () => {
  emulator = await startEmulator({ port: 0, apiKey: KEY });
  proxy = await startRecordingProxy(emulator.url);
  provider = adapter(proxy.port);
});
beforeEach(() => emulator.clearFaults());
afterAll(async () => {
  await proxy.close();
  await emulator.close();
});

function adapter(port: number, more: { secretKey?: string; retries?: number } = {}): StripeProvider {
  return new StripeProvider({
    secretKey: KEY,
    webhookSecret: SECRET,
    server: { host: '127.0.0.1', port, protocol: 'http' },
    timeoutMilliseconds: 500,
    retries: 1,
    ...more,
  });
}

const newCustomer = () =>
  provider.createCustomer({ accountId: 7, email: 'a@example.test', name: 'Ada', idempotencyKey: key() });

async function customerWithCard(number = '4242424242424242') {
  const { customerId } = await newCustomer();
  const setup = await provider.openCardSetup({
    accountId: 7,
    customerId,
    currency: 'eur',
    successUrl: 'http://127.0.0.1:9/back?setup={SETUP_ID}',
    cancelUrl: 'http://127.0.0.1:9/back',
    idempotencyKey: key(),
  });
  const sent = await submit(String(setup.url), { number, expiry: '12/34', cvc: '123', name: 'Ada' });
  const back = sent.includes('/3ds/') ? await confirmWithBank(sent) : sent;
  const done = await provider.fetchCardSetup(setup.setupId);
  return { customerId, cardId: String(done.cardId), setup: done, back };
}

async function openHold(owner: { customerId: string; cardId: string }) {
  const { customerId, cardId } = owner;
  return provider.openHold({
    accountId: 7,
    orderId: 1_234_567_890_123,
    customerId,
    cardId,
    amountMinor: 900,
    currency: 'eur',
    description: 'Servery order 1234567890123',
    idempotencyKey: key(),
  });
}

const code = (expected: string) => expect.objectContaining({ code: expected });

describe('the whole way', () => {
  it('goes from a customer to captured, refunded money', async () => {
    const owner = await customerWithCard();
    expect(owner.back).toBe(`http://127.0.0.1:9/back?setup=${owner.setup.setupId}`);
    expect(owner.setup).toEqual({
      setupId: owner.setup.setupId,
      customerId: owner.customerId,
      status: 'completed',
      cardId: owner.cardId,
    });
    await provider.makeDefaultCard({ ...owner, idempotencyKey: key() });
    expect(await provider.listCards(owner.customerId)).toEqual([
      {
        cardId: owner.cardId,
        brand: 'visa',
        last4: '4242',
        expiryMonth: 12,
        expiryYear: 2034,
        isDefault: true,
      },
    ]);
    const { holdId, ...opened } = await openHold(owner);
    expect(opened).toEqual({
      orderId: 1_234_567_890_123,
      status: 'opened',
      amountMinor: 900,
      currency: 'eur',
      capturedMinor: 0,
      refundedMinor: 0,
    });
    expect(await provider.authorizeHold({ holdId, idempotencyKey: key() })).toMatchObject({
      status: 'authorized',
    });
    const captured = await provider.captureHold({ holdId, amountMinor: 700, idempotencyKey: key() });
    expect(captured).toMatchObject({ status: 'captured', capturedMinor: 700 });
    await expect(provider.cancelHold({ holdId, idempotencyKey: key() })).rejects.toEqual(
      code('hold_not_open'),
    );
    const refunded = await provider.refundHold({ holdId, amountMinor: 200, idempotencyKey: key() });
    expect(refunded).toMatchObject({ capturedMinor: 700, refundedMinor: 200 });
    await provider.detachCard({ cardId: owner.cardId, idempotencyKey: key() });
    await provider.detachCard({ cardId: owner.cardId, idempotencyKey: key() });
    expect(await provider.listCards(owner.customerId)).toEqual([]);
  });

  it('lists events oldest first, each with what it is about', async () => {
    const { holdId } = await openHold(await customerWithCard());
    await provider.authorizeHold({ holdId, idempotencyKey: key() });
    const events = [];
    for await (const event of provider.listEvents(new Date(Date.now() - 60_000))) events.push(event);
    expect(events.at(-1)).toMatchObject({
      type: 'payment_intent.amount_capturable_updated',
      subject: { kind: 'payment', id: holdId },
    });
    expect(events.length).toBeGreaterThan(4);
    const times = events.map((event) => event.createdAt.getTime());
    expect(times).toEqual(times.toSorted((a, b) => a - b));
  });
});

describe('declines', () => {
  it.each([
    ['4000000000000341', undefined, 'card_declined'],
    ['4000002760003184', undefined, 'authentication_required'],
    ['4000008260003178', undefined, 'insufficient_funds'],
  ])('of %s are answers', async (number, returnUrl, declineCode) => {
    const { holdId } = await openHold(await customerWithCard(number));
    const asked = { holdId, ...(returnUrl ? { returnUrl } : {}), idempotencyKey: key() };
    expect(await provider.authorizeHold(asked)).toMatchObject({ status: 'declined', declineCode });
  });
});

describe('failures', () => {
  it('of the rate are tried again', async () => {
    emulator.addFaults({ api: [{ match: 'POST /v1/customers', effect: 'error_429' }] });
    await expect(newCustomer()).resolves.toHaveProperty('customerId');
    emulator.addFaults({ api: [{ match: 'POST /v1/customers', effect: 'error_429', times: 2 }] });
    await expect(newCustomer()).rejects.toEqual(code('provider_unavailable'));
  });

  it('that a conflict causes are tried again', async () => {
    emulator.addFaults({ api: [{ match: 'POST /v1/customers', effect: 'error_409' }] });
    await expect(newCustomer()).resolves.toHaveProperty('customerId');
  });

  it('inside the provider are told from silence, since their key is spent', async () => {
    emulator.addFaults({ api: [{ match: 'POST /v1/customers', effect: 'error_500' }] });
    await expect(newCustomer()).rejects.toMatchObject({
      code: 'provider_unavailable',
      details: { isAnswered: true },
    });
  });

  it('of our key and of unknown things have codes of their own', async () => {
    const stranger = adapter(proxy.port, { secretKey: 'sk_test_wrong' });
    await expect(stranger.listCards('cus_1')).rejects.toEqual(code('provider_misconfigured'));
    await expect(provider.fetchHold('pi_none')).rejects.toEqual(code('hold_not_found'));
    await expect(provider.fetchCardSetup('cs_none')).rejects.toEqual(code('provider_refused'));
    await expect(adapter(1, { retries: 0 }).fetchHold('pi_1')).rejects.toEqual(code('provider_unavailable'));
  });

  it('of a reused key with another request are refused, and have no effect', async () => {
    const owner = await customerWithCard();
    const { holdId } = await openHold(owner);
    await provider.authorizeHold({ holdId, idempotencyKey: key() });
    const idempotencyKey = key();
    await provider.captureHold({ holdId, amountMinor: 100, idempotencyKey });
    await expect(provider.captureHold({ holdId, amountMinor: 200, idempotencyKey })).rejects.toEqual(
      code('provider_refused'),
    );
    expect(await provider.fetchHold(holdId)).toMatchObject({ capturedMinor: 100 });
  });
});

describe('a webhook', () => {
  const event = { id: 'evt_1', object: 'event', type: 'payment_intent.succeeded', created: 1_700_000_000 };
  const body = JSON.stringify({ ...event, data: { object: { object: 'payment_intent', id: 'pi_1' } } });
  const now = () => Math.floor(Date.now() / 1000);

  it('with our signature is read', () => {
    expect(provider.verifyWebhook(Buffer.from(body), signatureOf(body, SECRET, now()))).toEqual({
      eventId: 'evt_1',
      type: 'payment_intent.succeeded',
      createdAt: new Date(1_700_000_000_000),
      subject: { kind: 'payment', id: 'pi_1' },
    });
  });

  it.each([
    ['another secret', body, () => signatureOf(body, 'whsec_other', now())],
    ['an old moment', body, () => signatureOf(body, SECRET, now() - 301)],
    ['an altered body', body.replace('pi_1', 'pi_2'), () => signatureOf(body, SECRET, now())],
    ['a moved moment', body, () => signatureOf(body, SECRET, now() - 600).replace(/t=\d+/, `t=${now()}`)],
    ['no signature', body, () => ''],
    ['nonsense', body, () => 't=x,v1=,,,'],
    ['another scheme', body, () => signatureOf(body, SECRET, now()).replace('v1=', 'v0=')],
    ['an empty body', '', () => signatureOf(body, SECRET, now())],
    ['a body that is no JSON', '{', () => signatureOf('{', SECRET, now())],
  ])('with %s is refused', (_name, sent, signature) => {
    expect(() => provider.verifyWebhook(Buffer.from(sent), signature())).toThrow(
      code('webhook_signature_invalid'),
    );
  });
});

describe('what was said on the wire', () => {
  it('keeps to the schemas of Stripe, request by request', () => {
    expect(proxy.calls.length).toBeGreaterThan(50);
    expect(wrongRequests(proxy.calls)).toEqual([]);
  });

  it('carries a stored key with every change', () => {
    const changes = proxy.calls.filter((call) => call.method !== 'GET');
    expect(changes.filter((call) => !call.idempotencyKey?.startsWith('key-'))).toEqual([]);
  });

  it('would be seen to lack a field, or to have one of another type', () => {
    const example = exampleOf('refund');
    expect(differencesOf('refund', { ...example, amount: '1' })).toEqual([
      'refund.amount: string instead of number',
    ]);
    const { charge: _, ...rest } = example;
    expect(differencesOf('refund', rest)).toEqual(['refund.charge: missing']);
  });

  it('answers objects that have every field of Stripe’s examples, of the same type', () => {
    const { problems, kinds } = wrongObjects(proxy.calls);
    expect(problems).toEqual([]);
    expect(kinds).toEqual([
      'charge',
      'checkout.session',
      'customer',
      'event',
      'payment_intent',
      'payment_method',
      'refund',
      'setup_intent',
    ]);
  });
});
