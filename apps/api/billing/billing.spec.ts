import { beforeAll, describe, expect, it } from 'vitest';
import { closeAccount, createPromotionCode, openServer } from '#libs/billing';
import { newId } from '#libs/kernel';
import { newTenant, stockMarketplace, type Tenant, usedServerOf } from '../../../test/api/marketplace.ts';
import { testApi } from '../../../test/api/test-api.ts';

const api = testApi();
let customer: Tenant;
let invoiceId: number;

beforeAll(async () => {
  await stockMarketplace(api.current);
  customer = await newTenant(api.current, 'billed@example.com');
  invoiceId = await usedServerOf(api.current, customer);
});

async function get(
  path: string,
  credentials: { token?: string; cookie?: string } = { cookie: customer.cookie },
) {
  const answer = await api.current.request('GET', path, credentials);
  expect([path, answer.statusCode]).toEqual([path, 200]);
  return answer.json();
}

function send(method: 'PUT' | 'POST', path: string, body: unknown, headers = {}) {
  return api.current.request(method, path, { cookie: customer.cookie, body, headers });
}

const now = new Date();
const thisMonth = Date.UTC(now.getUTCFullYear(), now.getUTCMonth());
const day = (moment: number) => new Date(moment).toISOString().slice(0, 10);

describe('invoices', () => {
  it('are listed, with what is open of them, to sessions and to tokens that see money', async () => {
    for (const credentials of [{ cookie: customer.cookie }, { token: customer.token }]) {
      const { invoices, meta } = await get('/v1/invoices', credentials);
      expect(invoices).toMatchObject([
        {
          id: invoiceId,
          number: 'INV-000001',
          net_minor: 240,
          total_minor: 240,
          open_minor: 240,
          reason: 'month',
        },
      ]);
      expect(meta.pagination.total_entries).toBe(1);
    }
    expect((await get('/v1/invoices?status=paid')).invoices).toEqual([]);
    expect((await get('/v1/invoices?status=open')).invoices).toHaveLength(1);
    const byReader = await api.current.request('GET', '/v1/invoices', { token: customer.readToken });
    expect(byReader.json().error.code).toBe('forbidden');
  });

  it('have lines that a person can read and that sum to the invoice', async () => {
    const { invoice } = await get(`/v1/invoices/${invoiceId}`);
    expect(invoice).toMatchObject({
      status: 'overdue',
      tax: { treatment: 'none', percent: 0, amount_minor: 0 },
      customer: { name: null },
      settlements: [],
      credit_notes: [],
      collection: null,
    });
    const { lines } = await get(`/v1/invoices/${invoiceId}/lines`);
    expect(lines).toMatchObject([
      { line: 1, kind: 'compute', title: 'u: CPU and RAM', seconds: 7200, price_hourly: '1.0000000000' },
      { line: 2, kind: 'disk', title: 'u: disk', server: { name: 'used' }, net_minor: 40 },
    ]);
    const first = await get(`/v1/invoices/${invoiceId}/lines?per_page=1&page=2`);
    expect(first.lines).toEqual([lines[1]]);
    expect(first.meta.pagination).toMatchObject({ total_entries: 2, last_page: 2 });
  });
});

describe('usage', () => {
  const lastMonth = `from=${day(thisMonth - 86_400_000)}&until=${day(thisMonth)}`;

  it('is told by server, day and kind, and sums to the same whichever way', async () => {
    const byServer = await get(`/v1/billing/usage?${lastMonth}`);
    expect(byServer).toMatchObject({
      currency: 'eur',
      net: '2.4000000000',
      usage: [{ day: null, server: { name: 'used' }, kind: null, seconds: null, net: '2.4000000000' }],
    });
    const { usage } = await get(`/v1/billing/usage?${lastMonth}&by=day&by=kind`);
    expect(usage).toEqual([
      { day: day(thisMonth - 1), server: null, kind: 'compute', seconds: 7200, net: '2.0000000000' },
      { day: day(thisMonth - 1), server: null, kind: 'disk', seconds: 7200, net: '0.4000000000' },
    ]);
  });

  it('is that of the month so far without days', async () => {
    const { usage, from } = await get('/v1/billing/usage');
    expect(from).toBe(new Date(thisMonth).toISOString());
    expect(usage).toHaveLength(1);
  });

  it.each([
    ['from=2027-02-30', 'from'],
    ['from=yesterday', 'from'],
    ['from=2026-02-01&until=2026-02-01', 'until'],
    ['from=2020-01-01&until=2026-02-01', 'until'],
    ['by=colour', 'by'],
  ])('refuses %s, naming the field', async (query, field) => {
    const answer = await api.current.request('GET', `/v1/billing/usage?${query}`, {
      cookie: customer.cookie,
    });
    expect(answer.json().error).toMatchObject({
      code: 'invalid_input',
      details: { fields: [{ name: field }] },
    });
  });
});

describe('balance and forecast', () => {
  it('tell what is owed, and what the month comes to', async () => {
    const { balance } = await get('/v1/billing/balance');
    expect(balance).toMatchObject({ currency: 'eur', open_minor: 240, overdue_minor: 240, credit_minor: 0 });
    expect(balance.unbilled_minor).toBeGreaterThanOrEqual(0);
    const { forecast } = await get('/v1/billing/forecast');
    expect(forecast).toMatchObject({ month: day(thisMonth).slice(0, 7), so_far: { invoiced_minor: 0 } });
    // The cap: 672 hours of 1.00 and of 0.20, or all of a shorter rest of it; the server runs since before.
    expect(forecast.forecast).toEqual({ net_minor: 80_640, tax_minor: 0, total_minor: 80_640 });
  });

  it('are nothing for an account that has used nothing', async () => {
    const { cookie } = await newTenant(api.current, 'idle@example.com');
    expect((await get('/v1/billing/balance', { cookie })).balance).toMatchObject({
      open_minor: 0,
      currency: 'eur',
    });
    expect((await get('/v1/billing/forecast', { cookie })).forecast.forecast.total_minor).toBe(0);
    expect((await get('/v1/billing/usage', { cookie })).usage).toEqual([]);
  });
});

describe('the billing profile', () => {
  const profile = {
    name: 'Ada GmbH',
    address: 'Hauptstr. 1\n10115 Berlin',
    country: 'de',
    vat_id: 'DE 123456789',
  };

  it('is what the next invoice says', async () => {
    expect((await get('/v1/billing/profile')).billing_profile).toBeNull();
    const answer = await send('PUT', '/v1/billing/profile', profile);
    expect(answer.json().billing_profile).toEqual({ ...profile, country: 'DE', vat_id: 'DE123456789' });
    expect((await get('/v1/billing/profile')).billing_profile).toEqual(answer.json().billing_profile);
  });

  it.each([
    [{ country: 'Germany' }, 'country'],
    [{ vat_id: 'DE12' }, 'vat_id'],
    [{ name: ' ' }, 'name'],
    [{ address: 'a\u0000b' }, 'address'],
  ])('refuses %j, naming the field', async (change, field) => {
    const { error } = (await send('PUT', '/v1/billing/profile', { ...profile, ...change })).json();
    expect(error).toMatchObject({ code: 'invalid_input', details: { fields: [{ name: field }] } });
  });

  it('is changed by a person, not by a token', async () => {
    const { token } = customer;
    const answer = await api.current.request('PUT', '/v1/billing/profile', { token, body: profile });
    expect(answer.statusCode).toBe(403);
  });
});

describe('limits', () => {
  const order = () =>
    api.current.request('POST', '/v1/servers', {
      token: customer.token,
      body: { name: `s-${newId()}`, server_type: 's1', image: 'web' },
    });

  it('refuse orders when a hard one is reached, in orders and in quotes, and stop nothing', async () => {
    await useMoreThan(1);
    const spending = { amount_minor: 1, is_hard: true, alert_percents: [50, 100] };
    const { limits } = (await send('PUT', '/v1/billing/limits', { spending })).json();
    expect(limits).toMatchObject({ currency: 'eur', spending, alerted_percents: [] });
    expect(limits.spent_minor).toBeGreaterThan(0);
    const refused = await order();
    expect(refused.statusCode).toBe(403);
    expect(refused.json().error).toMatchObject({
      code: 'resource_limit_exceeded',
      details: { reason: 'spending_limit_reached', limit_minor: 1 },
    });
    const { quote } = (await send('POST', '/v1/quotes', { server_type: 's1', image: 'web' })).json();
    expect(quote.problems.map(({ code }: { code: string }) => code)).toContain('spending_limit_reached');
    await send('PUT', '/v1/billing/limits', { spending: { ...spending, is_hard: false } });
    expect((await order()).statusCode).toBe(201);
    const gone = (await send('PUT', '/v1/billing/limits', { spending: null })).json();
    expect(gone.limits.spending).toBeNull();
  });

  it('are a whole amount above zero with known marks', async () => {
    for (const change of [
      { amount_minor: 0 },
      { amount_minor: 1.5 },
      { alert_percents: [42] },
      { is_hard: 1 },
    ]) {
      const spending = { amount_minor: 1, ...change };
      expect((await send('PUT', '/v1/billing/limits', { spending })).statusCode).toBe(422);
    }
  });

  /** Usage of this month, invoiced at once. */
  async function useMoreThan(hours: number): Promise<void> {
    const { dataSource } = api.current;
    const { accountId, projectId } = customer;
    const names = { serverName: 'quick', serverTypeName: 'u', imageName: 'none', currency: 'eur' };
    const server = { accountId, projectId, serverId: newId(), isRunning: true, ...names };
    const since = new Date(Date.now() - hours * 3_600_000);
    await openServer(dataSource.manager, server, since);
    const at = new Date();
    await closeAccount(dataSource, accountId, { until: at, now: at, reason: 'manual' });
  }
});

describe('promotion codes and credit', () => {
  it('become credit, once, and are listed with what is left of them', async () => {
    const { manager } = api.current.dataSource;
    const note = 'Welcome';
    await createPromotionCode(manager, {
      code: 'HELLO-5',
      amountMinor: 500,
      currency: 'eur',
      note,
      validDays: 30,
    });
    const key = { 'idempotency-key': 'redeem' };
    const redeemed = await send('POST', '/v1/billing/promotion_codes', { code: ' hello-5' }, key);
    expect(redeemed.statusCode).toBe(201);
    expect(redeemed.json()).toEqual({ credit: { amount_minor: 500, currency: 'eur' } });
    const repeated = await send('POST', '/v1/billing/promotion_codes', { code: ' hello-5' }, key);
    expect(repeated.json()).toEqual(redeemed.json());
    const again = await send('POST', '/v1/billing/promotion_codes', { code: 'HELLO-5' });
    expect(again.json().error).toMatchObject({
      code: 'invalid_state',
      details: { reason: 'promotion_code_used' },
    });
    const unknown = await send('POST', '/v1/billing/promotion_codes', { code: 'NO-SUCH' });
    expect(unknown.json().error).toMatchObject({
      code: 'not_found',
      details: { reason: 'promotion_code_unknown' },
    });
    const { credits } = await get('/v1/billing/credit');
    expect(credits).toMatchObject([{ source: 'promotion', note, amount_minor: 500 }]);
    expect(credits[0].expires).not.toBeNull();
  });
});

describe('recharging', () => {
  it('is set and taken away by a person', async () => {
    const recharge = { below_minor: 1000, amount_minor: 5000 };
    expect(await get('/v1/billing/recharge')).toEqual({ recharge: null, currency: 'eur', paying: 'card' });
    expect((await send('PUT', '/v1/billing/recharge', { recharge })).json().recharge).toEqual(recharge);
    expect((await get('/v1/billing/recharge', { token: customer.token })).recharge).toEqual(recharge);
    const tooLittle = { recharge: { ...recharge, amount_minor: 10 } };
    expect((await send('PUT', '/v1/billing/recharge', tooLittle)).statusCode).toBe(422);
    expect((await send('PUT', '/v1/billing/recharge', { recharge: null })).json().recharge).toBeNull();
  });

  it('works for an account that has no books yet', async () => {
    const { cookie } = await newTenant(api.current, 'prepaying@example.com');
    const body = { recharge: { below_minor: 1, amount_minor: 500 } };
    const answer = await api.current.request('PUT', '/v1/billing/recharge', { cookie, body });
    expect(answer.json().recharge).toEqual(body.recharge);
  });
});
