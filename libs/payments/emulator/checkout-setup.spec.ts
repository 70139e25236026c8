import { describe, expect, it } from 'vitest';
import { confirmWithBank, submit } from '../harness/index.ts';
import { call, get, KEY, post, startsEmulatorOnce } from './emulator-calls.fixture.ts';
import { startEmulator } from './index.ts';

startsEmulatorOnce();

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
