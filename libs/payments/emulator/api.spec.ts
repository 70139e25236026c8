import { describe, expect, it } from 'vitest';
import { type Body, call, emulator, get, KEY, post, startsEmulatorOnce } from './emulator-calls.fixture.ts';
import { startEmulator } from './index.ts';

startsEmulatorOnce();

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
