import type Stripe from 'stripe';
import { describe, expect, it } from 'vitest';
import { emulatedStripe } from '../harness/emulated-stripe.ts';
import { confirmWithBank, submit } from '../harness/index.ts';
import { wrongObjects, wrongRequests } from '../harness/wire.ts';

const bench = emulatedStripe();
const card = (number: string) => ({ number, expiry: '12 / 34', cvc: '123', name: 'Ada' });

async function openSession(more: Stripe.Checkout.SessionCreateParams = {}) {
  const { id: customer } = await bench.stripe.customers.create({ email: 'ada@example.test' });
  return bench.stripe.checkout.sessions.create({
    mode: 'payment',
    customer,
    line_items: [
      { price_data: { currency: 'eur', unit_amount: 2500, product_data: { name: 'Credit' } }, quantity: 2 },
    ],
    success_url: 'http://127.0.0.1:9/back?id={CHECKOUT_SESSION_ID}',
    cancel_url: 'http://127.0.0.1:9/no',
    ...more,
  });
}
const sessionOf = (id: string) => bench.stripe.checkout.sessions.retrieve(id, { expand: ['payment_intent'] });
const capturedOf = (session: Stripe.Checkout.Session) =>
  bench.emulator.ledger().intents.find(({ holdId }) => holdId === String(session.payment_intent))
    ?.capturedMinor;

describe('a page to pay', () => {
  it('takes a card once, and keeps it where that was asked for', async () => {
    const session = await openSession({ payment_intent_data: { setup_future_usage: 'off_session' } });
    expect(session).toMatchObject({
      amount_total: 5000,
      payment_status: 'unpaid',
      status: 'open',
      setup_intent: null,
    });
    expect(await (await fetch(String(session.url))).text()).toContain('Pay 50.00 EUR');
    expect(await submit(String(session.url), card('4000000000009995'))).toContain('insufficient funds');
    expect(await submit(String(session.url), card('4242424242424242'))).toContain(`/back?id=${session.id}`);
    expect(await sessionOf(session.id)).toMatchObject({
      status: 'complete',
      payment_status: 'paid',
      payment_intent: { status: 'succeeded', amount_received: 5000 },
    });
    expect(await submit(String(session.url), card('4242424242424242'))).toContain('this is paid for');
    expect(capturedOf(session)).toBe(5000);
    expect(await bench.eventsOf(session.id)).toEqual(['checkout.session.completed']);
    const { data } = await bench.stripe.customers.listPaymentMethods(String(session.customer));
    expect(data.map((method) => method.card?.last4)).toEqual(['4242']);
  });

  it('asks the bank, whose no leaves it open', async () => {
    const session = await openSession();
    const asked = await submit(String(session.url), card('4000002760003184'));
    expect(await confirmWithBank(asked, 'fail')).toBe(session.url);
    expect(await (await fetch(String(session.url))).text()).toContain('failed authentication');
    const again = await submit(String(session.url), card('4000002760003184'));
    expect(await confirmWithBank(again)).toContain('/back?id=');
    expect((await sessionOf(session.id)).payment_status).toBe('paid');
  });

  it.each([
    ['AT611904300234573201', 'succeeded', 'paid', 5000],
    ['AT86 1904 3002 3547 3202', 'failed', 'unpaid', 0],
  ])('takes the account %s, whose debit has %s after minutes', async (iban, outcome, status, captured) => {
    const session = await openSession();
    expect(await submit(String(session.url), { iban: 'DE00' })).toContain('none of the test accounts');
    expect(await submit(String(session.url), { iban })).toContain('/back?id=');
    expect(await sessionOf(session.id)).toMatchObject({
      status: 'complete',
      payment_status: 'unpaid',
      payment_intent: { status: 'processing' },
    });
    bench.emulator.advance(181);
    expect((await sessionOf(session.id)).payment_status).toBe(status);
    expect(capturedOf(session)).toBe(captured);
    expect(await bench.eventsOf(session.id)).toEqual([
      'checkout.session.completed',
      `checkout.session.async_payment_${outcome}`,
    ]);
  });

  it('expires, by a call or by time, and charges nothing then', async () => {
    const first = await openSession();
    expect((await bench.stripe.checkout.sessions.expire(first.id)).status).toBe('expired');
    await expect(bench.stripe.checkout.sessions.expire(first.id)).rejects.toMatchObject({ statusCode: 400 });
    const second = await openSession();
    bench.emulator.advance(86_401);
    expect(await sessionOf(second.id)).toMatchObject({
      status: 'expired',
      payment_intent: { status: 'canceled' },
    });
    expect(await submit(String(second.url), card('4242424242424242'))).toContain('expired');
    expect(await bench.eventsOf(second.id)).toEqual(['checkout.session.expired']);
  });

  it.each([
    [{ line_items: [] }, 'line_items'],
    [
      { line_items: [{ price_data: { currency: 'eur', unit_amount: 10, product_data: { name: 'x' } } }] },
      'amount',
    ],
    [{ mode: 'setup' }, 'line_items'],
  ] as const)('is refused with %j', async (more, param) => {
    await expect(openSession(more as unknown as Stripe.Checkout.SessionCreateParams)).rejects.toMatchObject({
      param,
    });
  });
});

describe('a card charged while its owner is away', () => {
  const charge = async (name: string) => {
    const { id: customer, invoice_settings } = await bench.customer(name);
    return bench.stripe.paymentIntents.create({
      amount: 900,
      currency: 'eur',
      customer,
      payment_method: String(invoice_settings.default_payment_method),
      off_session: true,
      confirm: true,
    });
  };

  it('pays, or is declined with a reason', async () => {
    expect((await charge('pm_card_visa')).status).toBe('succeeded');
    expect(
      await charge('pm_card_authenticationRequiredOnSetup').catch((error: unknown) => error),
    ).toBeDefined();
    await expect(charge('pm_card_chargeCustomerFail')).rejects.toMatchObject({ code: 'card_declined' });
  });
});

describe('what was said on the wire', () => {
  it('keeps to Stripe’s schemas and examples', () => {
    const refused = (url: string) => !url.startsWith('/v1/checkout/sessions?');
    expect(wrongRequests(bench.calls.filter(({ url, status }) => status === 200 && refused(url)))).toEqual(
      [],
    );
    expect(wrongObjects(bench.calls).problems).toEqual([]);
  });
});
