import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '#libs/kernel';
import { testDatabase } from '../../test/support/test-database.ts';
import { collect } from './harness/collect.ts';
import { EventLog } from './harness/event-log.ts';
import { type PaymentsHarness, startPayments, submit } from './harness/index.ts';

const database = testDatabase();
let log: EventLog;
let bench: PaymentsHarness;

beforeAll(async () => {
  log = await EventLog.create(database.dataSource);
  bench = await startPayments(database.dataSource, { timeoutMilliseconds: 2000, listener: log.listener });
});
afterEach(() => bench.emulator.clearFaults());
afterAll(() => bench.close());

/** Works off everything that was delivered. */
async function settle(): Promise<void> {
  await bench.emulator.idle();
  while ((await bench.events.processDue()) > 0);
}

describe('events', () => {
  it('of an invoice that is paid are each told once, with the invoice as it is', async () => {
    const { customerId } = await collect.customer(bench);
    const { invoiceId } = await collect.invoice(bench, customerId, 900);
    await bench.provider.invoices.pay({ invoiceId, idempotencyKey: `pay ${invoiceId}` });
    await settle();
    const told = await log.of(invoiceId);
    expect(told).toHaveLength(2);
    // Both are of one second, and webhooks overtake each other.
    expect(told).toEqual(
      expect.arrayContaining([
        { type: 'invoice.finalized', state: 'paid' },
        { type: 'invoice.paid', state: 'paid' },
      ]),
    );
  });

  it('delivered ten times, by ten workers at once, have one effect', async () => {
    bench.emulator.addFaults({ webhooks: [{ effect: 'duplicate', times: 50 }] });
    const { customerId } = await collect.customer(bench);
    const { invoiceId, paymentId } = await collect.invoice(bench, customerId, 900);
    await bench.provider.invoices.pay({ invoiceId, idempotencyKey: `pay ${invoiceId}` });
    await bench.emulator.idle();
    await Promise.all(Array.from({ length: 4 }, () => bench.events.processDue()));
    await settle();
    expect((await log.of(invoiceId)).map(({ type }) => type).sort()).toEqual([
      'invoice.finalized',
      'invoice.paid',
    ]);
    expect(await log.of(String(paymentId))).toEqual([
      { type: 'payment_intent.succeeded', state: 'succeeded' },
    ]);
  });

  it('of one invoice take turns, so that an answer that comes late is not the last word', async () => {
    const { customerId } = await collect.customer(bench);
    await settle();
    const { invoiceId } = await collect.invoice(bench, customerId, 900);
    await bench.emulator.idle();
    const fault = { match: 'GET /v1/invoices/:id', effect: 'late_answer', milliseconds: 1000 } as const;
    bench.emulator.addFaults({ api: [fault] });
    const late = bench.events.processDue();
    const isAsked = async () => {
      const faults = await (await fetch(`${bench.emulator.url}/_emulator/faults`)).json();
      return (faults as { api: unknown[] }).api.length === 0;
    };
    while (!(await isAsked()));
    await bench.provider.invoices.pay({ invoiceId, idempotencyKey: `pay ${invoiceId}` });
    await bench.emulator.idle();
    await Promise.all([late, bench.events.processDue()]);
    expect(await log.of(invoiceId)).toEqual([
      { type: 'invoice.finalized', state: 'open' },
      { type: 'invoice.paid', state: 'paid' },
    ]);
  });

  it('whose handling fails are told again, and what failed left nothing', async () => {
    const { customerId } = await collect.customer(bench);
    await settle();
    log.failNext(2);
    const { invoiceId } = await collect.invoice(bench, customerId, 900);
    await settle();
    expect(await log.of(invoiceId)).toEqual([]);
    const sql = `UPDATE stripe_events SET next_try_at = now() WHERE processed_at IS NULL RETURNING error`;
    const [failed] = await database.dataSource.query<[{ error: string }[], number]>(sql);
    expect(failed).toMatchObject([{ error: 'told to fail' }]);
    await settle();
    await database.dataSource.query(sql);
    await settle();
    expect(await log.of(invoiceId)).toEqual([{ type: 'invoice.finalized', state: 'open' }]);
  });

  it('of all kinds reach the listener, each in words of its kind', async () => {
    const { accountId, customerId, cardId } = await collect.customer(bench, '4000000000000259');
    const { provider } = bench;
    const key = () => ({ idempotencyKey: `key ${newId()}` });
    const { paymentId } = await collect.payment(bench, { accountId, customerId, cardId }, 900);
    const topUp = await collect.topUp(bench, accountId, customerId, 5000);
    await submit(String(topUp.url), { number: '4242424242424242', expiry: '12/34', cvc: '123', name: 'Ada' });
    await settle();
    expect(await log.of(paymentId)).toEqual([{ type: 'payment_intent.succeeded', state: 'succeeded' }]);
    expect(await log.of(topUp.topUpId)).toEqual([{ type: 'checkout.session.completed', state: 'paid' }]);
    const told = await log.disputes();
    // Of the same second, in any order.
    const dispute = told.find(({ type }) => type === 'charge.dispute.created');
    expect(dispute).toMatchObject({ state: 'open' });
    bench.emulator.closeDispute(String(dispute?.subject), 'won');
    await provider.money.refund({
      paymentId,
      amountMinor: 100,
      reason: 'requested_by_customer',
      reference: 'r',
      ...key(),
    });
    const [card] = await bench.cards.list(accountId);
    await bench.cards.remove(accountId, Number(card?.id));
    await provider.money.deleteCustomer({ customerId, ...key() });
    await settle();
    const won = expect.objectContaining({ type: 'charge.dispute.closed', state: 'won' });
    expect(await log.disputes()).toContainEqual(won);
    expect((await log.of(paymentId)).at(-1)).toEqual({ type: 'charge.refunded', state: 'succeeded 100' });
    const types = (await log.of(`account ${accountId}`)).map(({ type }) => type);
    expect(types).toEqual(expect.arrayContaining(['setup_intent.succeeded', 'payment_method.detached']));
    expect(await log.of(customerId)).toEqual([{ type: 'customer.deleted', state: 'deleted' }]);
    await bench.cards.finishSetup(accountId, await bench.enterCard(accountId, '5555555555554444'));
    expect(await bench.cards.list(accountId)).toMatchObject([{ last4: '4444', isDefault: true }]);
    expect((await bench.cards.chargeable(accountId)).customerId).not.toBe(customerId);
  });

  it('that mean nothing to us are kept, and done with', async () => {
    const { customerId } = await collect.customer(bench);
    const { invoiceId } = await collect.invoice(bench, customerId, 900);
    await settle();
    const sql = `SELECT count(*)::int AS all, count(processed_at)::int AS done FROM stripe_events
      WHERE type IN ('invoice.created', 'invoiceitem.created') AND subject_kind = 'other'`;
    const [count] = await database.dataSource.query<{ all: number; done: number }[]>(sql);
    expect(count?.all).toBeGreaterThan(1);
    expect(count?.done).toBe(count?.all);
    expect((await log.of(invoiceId)).map(({ type }) => type)).toEqual(['invoice.finalized']);
  });

  it('of a hold do not reach those who wait for other payments', async () => {
    const accountId = await bench.accountWithCard();
    const orderId = newId();
    const order = {
      orderId,
      accountId,
      amountMinor: 900,
      currency: 'eur',
      description: 'Servery order',
    } as const;
    await bench.payments.hold(order);
    await bench.payments.capture(orderId);
    await settle();
    const hold = await bench.payments.holdOf(orderId);
    expect(await log.of(String(hold?.providerId))).toEqual([]);
  });
});

describe('the sweep', () => {
  it('finds every event that was lost in a whole month', async () => {
    bench.emulator.addFaults({ webhooks: [{ effect: 'lose', probability: 1 }] });
    const { customerId } = await collect.customer(bench);
    const { invoiceId } = await collect.invoice(bench, customerId, 900);
    await bench.provider.invoices.pay({ invoiceId, idempotencyKey: `pay ${invoiceId}` });
    await bench.emulator.idle();
    expect(await log.of(invoiceId)).toEqual([]);
    bench.emulator.clearFaults();
    // A later event that does arrive must not hide what was lost before it.
    bench.emulator.advance(29 * 86_400);
    await collect.customer(bench);
    await settle();
    expect((await bench.events.repair()).found).toBeGreaterThan(3);
    await settle();
    // Which of two that are found at once is told first, nobody promises.
    const told = (await log.of(invoiceId)).map(({ type }) => type).toSorted();
    expect(told).toEqual(['invoice.finalized', 'invoice.paid']);
    expect((await bench.events.repair({ isFull: true })).found).toBe(0);
  });

  it('that is cut short begins again where it began', async () => {
    await bench.events.repair();
    bench.emulator.addFaults({ webhooks: [{ effect: 'lose', probability: 1 }] });
    const { customerId } = await collect.customer(bench);
    const { invoiceId } = await collect.invoice(bench, customerId, 900);
    bench.emulator.addFaults({ api: [{ match: 'GET /v1/events', effect: 'cut_before', times: 2 }] });
    await expect(bench.events.repair()).rejects.toMatchObject({ code: 'provider_unavailable' });
    expect((await bench.events.repair()).found).toBeGreaterThan(1);
    await settle();
    expect(await log.of(invoiceId)).toHaveLength(1);
  });
});

describe('a call that the provider answered with a failure of its own', () => {
  it('is made again only where it had no effect', async () => {
    const { accountId, customerId } = await collect.customer(bench);
    const { invoiceId } = await bench.provider.invoices.create({
      accountId,
      customerId,
      currency: 'eur',
      reference: 'once',
      collection: { by: 'card' },
      idempotencyKey: `invoice ${newId()}`,
    });
    const subject = newId();
    const at = new Date().toISOString();
    const line = {
      invoiceId,
      customerId,
      amountMinor: 900,
      currency: 'eur',
      description: 'x',
      reference: 'l',
      from: at,
      to: at,
    };
    const add = () =>
      bench.calls.make(
        'add_invoice_line',
        subject,
        line,
        (call) =>
          bench.provider.invoices.addLine({
            ...call,
            currency: 'eur',
            from: new Date(call.from),
            to: new Date(call.to),
          }),
        async () =>
          (await bench.provider.invoices.listLines(invoiceId)).find(({ reference }) => reference === 'l'),
      );
    for (const effect of ['error_500', 'error_500_after', 'cut_after', 'timeout_after'] as const) {
      bench.emulator.addFaults({ api: [{ match: 'POST /v1/invoiceitems', effect }] });
      await add().catch(() => undefined);
    }
    expect(await add()).toMatchObject({ reference: 'l', amountMinor: 900 });
    expect((await bench.provider.invoices.fetch(invoiceId)).totalMinor).toBe(900);
  });
});
