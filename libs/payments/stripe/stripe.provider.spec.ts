import { readFileSync } from 'node:fs';
import { Ajv, type ValidateFunction } from 'ajv';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parseForm } from '../emulator/form.ts';
import { type Emulator, signatureOf, startEmulator } from '../emulator/index.ts';
import { confirmWithBank, type RecordedCall, startRecordingProxy, submit } from '../harness/index.ts';
import { StripeProvider } from './index.ts';

const SECRET = 'whsec_test';
const KEY = 'sk_test_adapter';
const specs = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../../test/specs/${name}`, import.meta.url), 'utf8'));

interface Operation {
  readonly parameters?: readonly { in: string; name: string; required?: boolean; schema: object }[];
  readonly requestBody?: { content: Record<string, { schema: object }> };
}
const spec: { paths: Record<string, Record<string, Operation>> } = specs(
  'stripe-spec3-2023-08-16.requests.json',
);
const fixtures: { resources: Record<string, object> } = specs('stripe-fixtures3.json');

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
    const events = [];
    for await (const event of provider.listEvents(new Date(Date.now() - 60_000))) events.push(event);
    expect(events.at(-1)).toMatchObject({
      type: 'payment_intent.created',
      subject: { kind: 'hold', id: holdId },
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
      subject: { kind: 'hold', id: 'pi_1' },
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
  /** Parameters newer than the document that we have: the client's own types have them. */
  const NEWER: Record<string, string[]> = { '/v1/checkout/sessions': ['currency'] };

  function operationOf(call: RecordedCall): { path: string; operation: Operation } {
    const parts = (call.url.split('?')[0] ?? '').split('/');
    const found = Object.entries(spec.paths).find(([path]) => {
      const wanted = path.split('/');
      return (
        wanted.length === parts.length && wanted.every((part, i) => part.startsWith('{') || part === parts[i])
      );
    });
    const operation = found?.[1][call.method.toLowerCase()];
    if (!found || !operation) throw new Error(`${call.method} ${call.url} is no call of Stripe's`);
    return { path: found[0], operation };
  }

  const ajv = new Ajv({ strict: false, coerceTypes: true, allErrors: true, validateFormats: false });
  function validatorOf(call: RecordedCall): ValidateFunction {
    const { operation } = operationOf(call);
    const body = operation.requestBody?.content['application/x-www-form-urlencoded'];
    if (call.method === 'POST') return ajv.compile(body?.schema ?? {});
    const query = (operation.parameters ?? []).filter((parameter) => parameter.in === 'query');
    return ajv.compile({
      type: 'object',
      additionalProperties: false,
      properties: Object.fromEntries(query.map((parameter) => [parameter.name, parameter.schema])),
    });
  }

  it('keeps to the schemas of Stripe, request by request', () => {
    const wrong = proxy.calls.flatMap((call) => {
      const form = parseForm(call.method === 'POST' ? call.body : (call.url.split('?')[1] ?? ''));
      const newer = NEWER[operationOf(call).path] ?? [];
      const known = Object.fromEntries(Object.entries(form).filter(([name]) => !newer.includes(name)));
      const validate = validatorOf(call);
      return validate(known) ? [] : [{ call: `${call.method} ${call.url}`, errors: validate.errors }];
    });
    expect(proxy.calls.length).toBeGreaterThan(50);
    expect(wrong).toEqual([]);
  });

  it('carries a stored key with every change', () => {
    const changes = proxy.calls.filter((call) => call.method !== 'GET');
    expect(changes.filter((call) => !call.idempotencyKey?.startsWith('key-'))).toEqual([]);
  });

  it('would be seen to lack a field, or to have one of another type', () => {
    const example = fixtures.resources.refund;
    expect(differences(example, { ...example, amount: '1' }, 'refund')).toEqual([
      'refund.amount: string instead of number',
    ]);
    const { charge: _, ...rest } = example as Plain;
    expect(differences(example, rest, 'refund')).toEqual(['refund.charge: missing']);
  });

  it('answers objects that have every field of Stripe’s examples, of the same type', () => {
    const seen = new Set<string>();
    const problems = proxy.calls
      .flatMap((call) => objectsIn(call.answer))
      .flatMap((object) => {
        const kind = String(object.object);
        seen.add(kind);
        return differences(fixtures.resources[kind], object, kind);
      });
    expect([...new Set(problems)]).toEqual([]);
    expect([...seen].sort()).toEqual([
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

type Plain = Record<string, unknown>;

/** Stripe's objects anywhere in an answer. */
function objectsIn(value: unknown): Plain[] {
  if (Array.isArray(value)) return value.flatMap(objectsIn);
  if (typeof value !== 'object' || value === null) return [];
  const object = value as Plain;
  const inner = Object.values(object).flatMap(objectsIn);
  return typeof object.object === 'string' && object.object !== 'list' ? [object, ...inner] : inner;
}

/** Where `actual` lacks a field of `example`, or has one of another type. Null stands for what may be absent. */
function differences(example: unknown, actual: unknown, path: string): string[] {
  if (example === undefined) return [`${path}: no example`];
  if (example === null || actual === null) return [];
  if (Array.isArray(example) || Array.isArray(actual)) {
    return Array.isArray(example) === Array.isArray(actual) ? [] : [`${path}: not the same kind`];
  }
  if (typeof example === 'string' && isObject(actual)) return [];
  if (typeof example !== typeof actual) return [`${path}: ${typeof actual} instead of ${typeof example}`];
  if (!isObject(example) || !isObject(actual)) return [];
  if (path.endsWith('.metadata') || path === 'event.data') return [];
  if (example.object !== undefined && actual.object !== example.object) return [];
  return Object.keys(example).flatMap((name) =>
    name in actual
      ? differences(example[name], actual[name], `${path}.${name}`)
      : [`${path}.${name}: missing`],
  );
}

function isObject(value: unknown): value is Plain {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
