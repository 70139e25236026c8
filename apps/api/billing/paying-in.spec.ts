import { beforeAll, describe, expect, it } from 'vitest';
import { checkBooks } from '#libs/billing';
import { submit } from '#libs/payments/harness';
import { rechargeDue } from '#libs/workflows';
import { stockMarketplace } from '../../../test/api/marketplace.ts';
import { payingApi } from '../../../test/api/paying-api.ts';

const paying = await payingApi();
const card = (number: string) => ({ number, expiry: '12 / 34', cvc: '123', name: 'Ada' });
const [GOOD, NO_MONEY, DECLINED_LATER] = ['4242424242424242', '4000000000009995', '4000000000000341'];
let cookie: string;

beforeAll(async () => {
  await stockMarketplace(paying.current);
  cookie = await signUp('ada@example.com');
});

async function signUp(email: string): Promise<string> {
  const body = { email, password: 'correct horse battery' };
  const answer = await paying.current.request('POST', '/v1/accounts', { body });
  return String(answer.headers['set-cookie']).split(';', 1)[0] ?? '';
}

const ask = async (method: string, path: string, body?: unknown, key?: string) => {
  const headers = key === undefined ? {} : { 'idempotency-key': key };
  return paying.current.request(method, `/v1/${path}`, { cookie, body, headers });
};
const creditMinor = async () => (await ask('GET', 'billing/balance')).json().balance.credit_minor;
const cards = async () => (await ask('GET', 'payment_methods')).json().payment_methods;
const topUp = { amount_minor: 5000, return_path: '/billing/credit' };

describe('paying in', () => {
  it('leads to a page, back, and to credit once the payment is told, however often that is', async () => {
    const opened = await ask('POST', 'billing/top_ups', topUp, 'once');
    expect(opened.statusCode).toBe(201);
    const { url } = opened.json().top_up;
    expect((await ask('POST', 'billing/top_ups', topUp, 'once')).json().top_up.url).toBe(url);
    expect(await (await fetch(url)).text()).toContain('Pay 50.00 EUR');
    expect(await submit(url, card(NO_MONEY))).toContain('insufficient funds');
    await paying.settle();
    expect(await creditMinor()).toBe(0);
    paying.emulator.addFaults({ webhooks: [{ effect: 'duplicate', times: 3 }] });
    expect(await submit(url, card(GOOD))).toBe(`${paying.current.origin}/billing/credit?paid=1`);
    await paying.settle();
    await paying.settle();
    expect(await creditMinor()).toBe(5000);
    expect((await ask('GET', 'billing/credit')).json().credits).toMatchObject([
      { source: 'payment', amount_minor: 5000, remaining_minor: 5000, expires: null },
    ]);
    expect(await cards()).toEqual([]);
    expect(await checkBooks(paying.deps.dataSource.manager)).toEqual([]);
  });

  it('keeps the card where that is asked for', async () => {
    const { url } = (await ask('POST', 'billing/top_ups', { ...topUp, save_card: true })).json().top_up;
    await submit(url, card(GOOD));
    await paying.settle();
    expect(await creditMinor()).toBe(10_000);
    expect(await cards()).toMatchObject([{ last4: '4242' }]);
  });

  it.each([
    [{ ...topUp, amount_minor: 499 }, 'amount_minor'],
    [{ ...topUp, return_path: '//evil.example' }, 'return_path'],
  ])('refuses %j', async (body, field) => {
    expect((await ask('POST', 'billing/top_ups', body)).json().error.details.fields[0].name).toBe(field);
  });
});

describe('the portal', () => {
  it('lets a customer add and remove cards, which are here what they are there', async () => {
    const opened = await ask('POST', 'billing/portal', { return_path: '/billing/settings' });
    expect(opened.statusCode).toBe(201);
    const { url } = opened.json().portal;
    expect(await (await fetch(url)).text()).toContain(`${paying.current.origin}/billing/settings`);
    await submit(url, { do: 'add', ...card('5555555555554444') });
    await paying.settle();
    expect((await cards()).map(({ last4 }: { last4: string }) => last4).sort()).toEqual(['4242', '4444']);
    const page = await (await fetch(url)).text();
    const shown = [...page.matchAll(/name="card" value="(pm_\w+)"/g)].map(([, id = '']) => id);
    await submit(url, { do: 'default', card: shown[0] ?? '' });
    await submit(url, { do: 'remove', card: shown[0] ?? '' });
    await paying.settle();
    expect(await cards()).toMatchObject([{ is_default: true }]);
  });
});

describe('recharging', () => {
  const run = async () => {
    await rechargeDue(paying.deps.dataSource, paying.deps.sagas, new Date());
    await paying.settle();
  };

  it('charges the card once when credit falls below the mark', async () => {
    const set = await ask('PUT', 'billing/recharge', {
      recharge: { below_minor: 20_000, amount_minor: 15_000 },
    });
    expect(set.json().recharge).toEqual({ below_minor: 20_000, amount_minor: 15_000 });
    await run();
    await run();
    expect(await creditMinor()).toBe(25_000);
    expect((await ask('PUT', 'billing/recharge', { recharge: null })).json().recharge).toBeNull();
    expect(await checkBooks(paying.deps.dataSource.manager)).toEqual([]);
  });

  it('does not charge a card again and again that is declined', async () => {
    cookie = await signUp('bob@example.com');
    const { url } = (await ask('POST', 'billing/portal', { return_path: '/' })).json().portal;
    await submit(url, { do: 'add', ...card(DECLINED_LATER) });
    await paying.settle();
    await ask('PUT', 'billing/recharge', { recharge: { below_minor: 1000, amount_minor: 5000 } });
    await run();
    await run();
    expect(await creditMinor()).toBe(0);
    const tries = paying.emulator.ledger().intents.filter(({ amountMinor }) => amountMinor === 5000);
    expect(tries.filter(({ status }) => status === 'requires_payment_method')).toHaveLength(1);
  });
});
