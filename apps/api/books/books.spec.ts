import { beforeAll, describe, expect, it } from 'vitest';
import { AuditService } from '#libs/accounts';
import { ledgerBalance } from '#libs/billing';
import { newTenant, stockMarketplace, type Tenant, usedServerOf } from '../../../test/api/marketplace.ts';
import { testApi } from '../../../test/api/test-api.ts';

const api = testApi();
let operator: Tenant;
let customer: Tenant;
let invoiceId: number;

beforeAll(async () => {
  await stockMarketplace(api.current);
  operator = await newTenant(api.current, 'operator@example.com');
  await api.current.dataSource.query(`UPDATE accounts SET role = 'operator' WHERE id = $1`, [
    operator.accountId,
  ]);
  customer = await newTenant(api.current, 'owing@example.com');
  invoiceId = await usedServerOf(api.current, customer);
});

async function get(path: string) {
  const answer = await api.current.request('GET', `/v1/books/${path}`, { cookie: operator.cookie });
  expect([path, answer.statusCode]).toEqual([path, 200]);
  return answer.json();
}

function send(method: 'PUT' | 'POST', path: string, body: unknown = {}, headers = {}) {
  return api.current.request(method, `/v1/books/${path}`, { cookie: operator.cookie, body, headers });
}

async function lastAudited() {
  const [entry] = await api.current.get<AuditService>(AuditService).list({ limit: 1 });
  return entry;
}

const sumOf = (amounts: readonly string[]) => amounts.reduce((sum, amount) => sum + BigInt(amount), 0n);
/** Decimals of the major unit in millionths of the minor one. */
const micro = (decimal: string) => BigInt(decimal.replace('.', '')) / 100n;

describe('each figure', () => {
  it('of revenue leads to entries that sum to it', async () => {
    const { revenue } = await get('revenue');
    expect(revenue.map(({ title, net_minor }: never) => [title, net_minor])).toEqual([
      ['u: CPU and RAM', 200],
      ['u: disk', 40],
    ]);
    for (const { account, month, net } of revenue) {
      const { sums, entries, meta } = await get(`entries?account=${account}&month=${month}`);
      expect(sumOf(sums.map(({ amount }: { amount: string }) => amount))).toBe(-micro(net));
      expect(sumOf(entries.map(({ amount }: { amount: string }) => amount))).toBe(-micro(net));
      expect(meta.pagination.total_entries).toBe(entries.length);
      expect(entries[0].unit).toBe('micro');
    }
    expect((await get('entries?month=2020-01')).entries).toEqual([]);
  });

  it('of costs leads to entries that sum to it', async () => {
    await send('POST', `customers/${customer.accountId}/credits`, { amount_minor: 70, note: 'Welcome' });
    const { costs } = await get('revenue');
    expect(costs).toEqual([
      expect.objectContaining({ account: 'promotions', currency: 'eur', amount_minor: 70 }),
    ]);
    const [{ account, month }] = costs;
    const { sums } = await get(`entries?account=${account}&from=${month}-01`);
    expect(sums).toMatchObject([{ account: 'promotions', amount: '70', unit: 'minor' }]);
  });

  it('of receivables leads to invoices, and those to entries', async () => {
    const { receivables } = await get('receivables');
    expect(receivables).toEqual([{ currency: 'eur', age: 'up_to_30_days', invoices: 1, open_minor: 240 }]);
    for (const age of ['not_due', 'up_to_30_days', 'up_to_60_days', 'up_to_90_days', 'older']) {
      const { invoices } = await get(`invoices?age=${age}`);
      expect(invoices).toHaveLength(age === 'up_to_30_days' ? 1 : 0);
    }
    const { entries, sums } = await get(`entries?cause_kind=invoice&cause_id=${invoiceId}`);
    expect(entries.map(({ account }: { account: string }) => account).sort()).toEqual([
      'receivable',
      'revenue_compute',
      'revenue_disk',
    ]);
    expect(sums[0]).toEqual({
      account: 'receivable',
      currency: 'eur',
      entries: 1,
      amount: '240',
      unit: 'minor',
    });
    const lines = await get(`invoices/${invoiceId}/lines`);
    expect(lines.lines).toHaveLength(2);
  });

  it('of a customer is what the ledger says', async () => {
    const { customers } = await get('customers?search=OWING');
    expect(customers).toMatchObject([{ email: 'owing@example.com', open_minor: 240, overdue_minor: 240 }]);
    expect((await get('customers?overdue=false')).customers).toEqual([]);
    const of = { customerId: customer.accountId };
    const { manager } = api.current.dataSource;
    expect(await ledgerBalance(manager, 'receivable', 'eur', of)).toBe(240n);
    const { sums } = await get(`entries?account=receivable&customer_id=${customer.accountId}`);
    expect(sums).toMatchObject([{ amount: '240' }]);
  });

  it.each(['account=gold', 'cause_id=1', 'month=2026-13', 'customer_id=x', 'from=now'])(
    'refuses to look for %s',
    async (query) => {
      const { cookie } = operator;
      const answer = await api.current.request('GET', `/v1/books/entries?${query}`, { cookie });
      expect(answer.json().error.code).toBe('invalid_input');
    },
  );
});

describe('what the operator does', () => {
  it('gives credit once, audited', async () => {
    const path = `customers/${customer.accountId}/credits`;
    const body = { amount_minor: 100, note: 'Sorry', expires: '2999-01-01T00:00:00Z' };
    const key = { 'idempotency-key': 'grant' };
    const [granted, repeated] = [await send('POST', path, body, key), await send('POST', path, body, key)];
    expect(granted.statusCode).toBe(201);
    expect(repeated.json()).toEqual(granted.json());
    const { id } = granted.json().credit_grant;
    expect(await lastAudited()).toMatchObject({
      action: 'credit_grant.create',
      subjectId: id,
      actorKind: 'operator',
      detail: { account_id: customer.accountId, amount_minor: 100, currency: 'eur', note: 'Sorry' },
    });
    const { sums } = await get(`entries?cause_kind=credit_grant&cause_id=${id}`);
    expect(sums.map(({ account, amount }: never) => [account, amount])).toEqual([
      ['customer_credit', '-100'],
      ['promotions', '100'],
    ]);
    expect((await send('POST', 'customers/1/credits', body)).statusCode).toBe(404);
  });

  it('makes a promotion code that customers redeem once each, until it is ended', async () => {
    const made = { code: 'summer-26', amount_minor: 500, note: 'Summer', valid_days: 30, redemptions: 2 };
    const { promotion } = (await send('POST', 'promotions', made)).json();
    expect(promotion).toMatchObject({
      code: 'SUMMER-26',
      state: 'running',
      redeemed: 0,
      redemptions_left: 2,
    });
    expect(await lastAudited()).toMatchObject({
      action: 'promotion.create',
      subjectName: 'SUMMER-26',
      detail: { amount_minor: 500, valid_days: 30, redemptions: 2, redeem_until: null },
    });
    expect((await send('POST', 'promotions', { ...made, amount_minor: 1 })).json().error).toMatchObject({
      code: 'invalid_state',
      details: { reason: 'promotion_code_taken' },
    });
    const redeem = (cookie: string) =>
      api.current.request('POST', '/v1/billing/promotion_codes', { cookie, body: { code: 'SUMMER-26' } });
    expect((await redeem(customer.cookie)).json().credit.amount_minor).toBe(500);
    expect((await redeem(customer.cookie)).json().error.details.reason).toBe('promotion_code_used');
    expect((await get('promotions/summer-26')).promotion).toMatchObject({ redeemed: 1, given_minor: 500 });
    const { sums } = await get('entries?cause_kind=promotion&cause_id=SUMMER-26');
    expect(sums).toMatchObject([{ amount: '-500' }, { account: 'promotions', amount: '500' }]);
    const ended = (await send('POST', 'promotions/SUMMER-26/actions/end')).json().promotion;
    expect(ended).toMatchObject({ state: 'ended', redemptions_left: 1 });
    expect(await lastAudited()).toMatchObject({ action: 'promotion.end', detail: { redeemed: 1 } });
    expect((await redeem(operator.cookie)).json().error.details.reason).toBe('promotion_code_expired');
    expect((await send('POST', 'promotions/SUMMER-26/actions/end')).json().promotion).toEqual(ended);
    expect((await get('promotions')).promotions).toEqual([ended]);
    expect((await send('POST', 'promotions/NONE/actions/end')).statusCode).toBe(404);
    expect((await send('POST', 'promotions', { ...made, code: 'no spaces' })).statusCode).toBe(422);
  });

  it('gives back a part of an invoice once, and no more than there is', async () => {
    const path = `invoices/${invoiceId}/credit_notes`;
    const body = { amount_minor: 40, refund_to: 'credit', reason: 'Slow disk' };
    const key = { 'idempotency-key': 'note' };
    const note = (await send('POST', path, body, key)).json().credit_note;
    expect((await send('POST', path, body, key)).json().credit_note).toEqual(note);
    expect(note).toMatchObject({ number: 'CN-000001', total_minor: 40, settled_minor: 40, refund_minor: 0 });
    expect(await lastAudited()).toMatchObject({
      action: 'credit_note.create',
      subjectId: note.id,
      detail: { invoice_id: invoiceId, amount_minor: 40, refund_minor: 0, refund_to: 'credit' },
    });
    expect((await get('credit_notes')).credit_notes).toEqual([note]);
    const tooMuch = await send('POST', path, { ...body, amount_minor: 201 });
    expect(tooMuch.json().error).toMatchObject({
      code: 'invalid_state',
      details: { reason: 'refund_exceeds_invoice' },
    });
    expect((await get(`invoices/${invoiceId}`)).invoice).toMatchObject({
      open_minor: 200,
      credit_notes: [note],
    });
  });

  it('trusts a customer, and lets them pay on terms', async () => {
    const path = `customers/${customer.accountId}`;
    const answer = await send('PUT', path, { tier: 'trusted', paying: { by: 'terms', days: 14 } });
    expect(answer.json().customer).toMatchObject({ tier: 'trusted', paying: 'terms', terms_days: 14 });
    expect((await send('PUT', path, { paying: { by: 'card' } })).json().customer.paying).toBe('card');
    expect(await lastAudited()).toMatchObject({
      action: 'customer.update',
      subjectId: customer.accountId,
      detail: { paying_from: 'terms', paying: 'card' },
    });
    expect((await send('PUT', path, { paying: { by: 'terms' } })).statusCode).toBe(422);
    expect((await send('PUT', 'customers/1', { tier: 'trusted' })).statusCode).toBe(404);
  });

  it('gives up what is open', async () => {
    const { invoice } = (await send('POST', `invoices/${invoiceId}/actions/write_off`)).json();
    expect(invoice).toMatchObject({ status: 'paid', open_minor: 0 });
    expect(invoice.settlements.at(-1)).toMatchObject({ kind: 'write_off', amount_minor: 200 });
    expect(await lastAudited()).toMatchObject({
      action: 'invoice.write_off',
      subjectId: invoiceId,
      detail: { amount_minor: 200 },
    });
    expect((await get('invoices?status=paid')).invoices).toHaveLength(1);
    expect((await get('receivables')).receivables).toEqual([]);
  });

  it('changes a price from now on, never in the past', async () => {
    const change = await send('POST', 'prices', { item: 'compute/u', hourly: '2.5' });
    expect(change.statusCode).toBe(201);
    const ours = change.json().prices.filter(({ item }: { item: string }) => item === 'compute/u');
    expect(ours).toMatchObject([
      { hourly: '1.0000000000', state: 'past', effective_from: null },
      { hourly: '2.5000000000', state: 'current' },
    ]);
    const audited = await lastAudited();
    expect(audited).toMatchObject({
      action: 'price.change',
      subjectId: null,
      subjectName: 'compute/u',
      detail: { from: '1.00000000', to: '2.50000000' },
    });
    const past = { item: 'compute/u', hourly: '1', effective_from: '2020-01-01T00:00:00Z' };
    expect((await send('POST', 'prices', past)).json().error.details.reason).toBe('price_in_the_past');
    const unknown = await send('POST', 'prices', { item: 'compute/none', hourly: '1' });
    expect(unknown.json().error.details.reason).toBe('price_item_not_found');
    expect((await send('POST', 'prices', { item: 'compute/u', hourly: '1,5' })).statusCode).toBe(422);
    expect(await lastAudited()).toEqual(audited);
    const later = { item: 'disk/u', hourly: '0.1', effective_from: '2999-01-01T00:00:00Z' };
    const { prices } = (await send('POST', 'prices', later)).json();
    const ofItem = prices.filter(({ item }: { item: string }) => item === 'disk/u');
    expect(ofItem.at(-1)).toMatchObject({ state: 'future' });
  });

  it('sees nobody in arrears who is not', async () => {
    expect(await get('arrears')).toMatchObject({ arrears: [], meta: { pagination: { total_entries: 0 } } });
  });
});
