import type Stripe from 'stripe';
import { describe, expect, it } from 'vitest';
import { emulatedStripe } from '../harness/emulated-stripe.ts';
import { confirmWithBank, submit } from '../harness/index.ts';
import { wrongObjects, wrongRequests } from '../harness/wire.ts';

const bench = emulatedStripe();
const card = (number: string) => ({ do: 'add', number, expiry: '12 / 34', cvc: '123', name: 'Ada' });
const cardsOf = async (customer: string) => {
  const { data } = await bench.stripe.customers.listPaymentMethods(customer);
  const { invoice_settings } = (await bench.stripe.customers.retrieve(customer)) as Stripe.Customer;
  return data.map(({ id, card: shown }) => ({
    id,
    last4: shown?.last4,
    isDefault: id === invoice_settings.default_payment_method,
  }));
};

async function openPortal() {
  const { id: customer } = await bench.stripe.customers.create({ email: 'ada@example.test' });
  const asked = { customer, return_url: 'http://127.0.0.1:9/account' };
  const { url } = await bench.stripe.billingPortal.sessions.create(asked);
  return { customer, url };
}

describe('the portal', () => {
  it('adds cards, the first as the default one, changes which is that, and removes them', async () => {
    const { customer, url } = await openPortal();
    expect(await submit(url, card('4242424242424242'))).toBe(url);
    expect(await submit(url, card('5555555555554444'))).toBe(url);
    const [second, first] = await cardsOf(customer);
    expect([first, second]).toMatchObject([
      { last4: '4242', isDefault: true },
      { last4: '4444', isDefault: false },
    ]);
    await submit(url, { do: 'default', card: String(second?.id) });
    expect((await cardsOf(customer)).map(({ isDefault }) => isDefault)).toEqual([true, false]);
    await submit(url, { do: 'remove', card: String(second?.id) });
    expect(await cardsOf(customer)).toEqual([{ id: first?.id, last4: '4242', isDefault: false }]);
    expect(await bench.eventsOf(String(second?.id))).toEqual([
      'payment_method.attached',
      'payment_method.detached',
    ]);
    const page = await (await fetch(url)).text();
    expect(page).toContain('4242');
    expect(page).toContain('http://127.0.0.1:9/account');
    expect(page).not.toContain('<script');
  });

  it('asks the bank, refuses what the bank refuses, and keeps to its own customer', async () => {
    const { customer, url } = await openPortal();
    expect(await submit(url, card('4000000000000002'))).toContain('Your card was declined.');
    const asked = await submit(url, card('4000002500003155'));
    expect(await confirmWithBank(asked)).toContain(url);
    expect(await cardsOf(customer)).toMatchObject([{ last4: '3155' }]);
    const stranger = await openPortal();
    const [saved] = await cardsOf(customer);
    await submit(stranger.url, { do: 'remove', card: String(saved?.id) });
    expect(await cardsOf(customer)).toHaveLength(1);
  });

  it('closes after an hour, and with its customer', async () => {
    const gone = await openPortal();
    await bench.stripe.customers.del(gone.customer);
    expect((await fetch(gone.url)).status).toBe(404);
    const { url } = await openPortal();
    bench.emulator.advance(3601);
    expect((await fetch(url)).status).toBe(404);
    expect((await fetch(`${bench.emulator.url}/p/session/bps_none`)).status).toBe(404);
  });

  it('keeps to Stripe’s schemas and examples', () => {
    expect(wrongRequests(bench.calls)).toEqual([]);
    const { problems, kinds } = wrongObjects(bench.calls);
    expect(problems).toEqual([]);
    expect(kinds).toContain('billing_portal.session');
  });
});

describe('a customer that is deleted', () => {
  it('loses its cards, and is known as deleted from then on', async () => {
    const { id, invoice_settings } = await bench.customer();
    expect(await bench.stripe.customers.del(id)).toEqual({ id, object: 'customer', deleted: true });
    expect(await bench.stripe.customers.retrieve(id)).toMatchObject({ deleted: true });
    await expect(bench.stripe.customers.update(id, { name: 'x' })).rejects.toMatchObject({ statusCode: 404 });
    const detached = await bench.stripe.paymentMethods.retrieve(
      String(invoice_settings.default_payment_method),
    );
    expect(detached.customer).toBeNull();
    expect((await bench.eventsOf(id)).at(-1)).toBe('customer.deleted');
  });
});
