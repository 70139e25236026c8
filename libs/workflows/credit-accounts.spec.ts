import { describe, expect, it } from 'vitest';
import { arrearsOf, creditBalanceMinor, ensureBooks, ledgerBalance, setRecharge } from '#libs/billing';
import { createDataSource } from '#libs/database';
import { newId } from '#libs/kernel';
import { submit } from '#libs/payments/harness';
import { SagaStore } from '#libs/saga';
import { collectDue } from './collect-invoices.ts';
import { providerInvoicesOf, providerPaymentsOf } from './harness/assert-money.ts';
import { DECLINED_LATER, GOOD, moneyBench } from './harness/money-bench.ts';
import { addCard, HOUR_MINOR } from './harness/money-world.ts';
import { rechargeDue } from './recharges.ts';

const bench = moneyBench();
const { settle, customer, collected, openOf } = bench;
const now = () => new Date();

const creditOf = (accountId: number) => creditBalanceMinor(bench.manager, accountId, 'eur');

async function openPage(accountId: number, amountMinor = 5000): Promise<{ id: number; url: string }> {
  return bench.world.topUps.open({
    accountId,
    amountMinor,
    email: 'ada@example.test',
    currency: 'eur',
    successUrl: 'http://127.0.0.1:9/back?top_up={TOP_UP_ID}',
    cancelUrl: 'http://127.0.0.1:9/no',
    savesCard: false,
  });
}

const card = { number: GOOD, expiry: '12 / 34', cvc: '123', name: 'Ada' };
const tell = (type: string, kind: string, id: string | null) =>
  bench.dataSource.query(
    `INSERT INTO stripe_events (id, type, subject_kind, subject_id, occurred_at) VALUES ($1, $2, $3, $4, now())`,
    [`evt_${newId()}`, type, kind, id],
  );

/** The customer has a page to pay on, and is on the ladder until they do; their card is left alone. */
async function expectAskedAndNotCharged(accountId: number, invoiceId: number): Promise<void> {
  await bench.dataSource.query(`UPDATE sagas SET finished_at = finished_at - interval '2 hours'`);
  await collectDue(bench.dataSource, bench.world.store, new Date());
  await settle();
  expect(await bench.newest(invoiceId)).toMatchObject({ status: 'open', amountMinor: HOUR_MINOR });
  expect(await openOf(invoiceId)).toBe(HOUR_MINOR);
  expect(await arrearsOf(bench.manager, accountId)).toMatchObject({ isHard: true });
}

describe('paying in', () => {
  it('is credited once, however often and by which event it is told', async () => {
    const accountId = await customer();
    const { url } = await openPage(accountId);
    expect(await creditOf(accountId)).toBe(0);
    await submit(url, card);
    await settle();
    const [topUp] = await bench.world.topUps.list(accountId, { limit: 5 });
    expect(topUp).toMatchObject({ kind: 'page', status: 'paid', amountMinor: 5000 });
    for (let times = 0; times < 5; times += 1) {
      await tell('checkout.session.completed', 'top_up', String(topUp?.providerId));
      await tell('payment_intent.succeeded', 'payment', String(topUp?.paymentId));
    }
    await Promise.all([1, 2, 3].map(() => bench.payments.events.processDue()));
    expect(await creditOf(accountId)).toBe(5000);
  });

  it.each([
    ['AT611904300234573201', 'paid', 5000],
    ['AT861904300235473202', 'failed', 0],
  ])('by debit %s is %s days later, and credited only then', async (iban, status, credited) => {
    const accountId = await customer();
    const { url } = await openPage(accountId);
    await submit(url, { iban });
    await settle();
    expect(await bench.world.topUps.list(accountId, { limit: 5 })).toMatchObject([{ status: 'processing' }]);
    expect(await creditOf(accountId)).toBe(0);
    bench.payments.emulator.advance(181);
    await settle();
    expect(await bench.world.topUps.list(accountId, { limit: 5 })).toMatchObject([{ status }]);
    expect(await creditOf(accountId)).toBe(credited);
  });

  it('pays what is open: what asked for it asks no more, and the account is out of arrears', async () => {
    const accountId = await customer();
    const invoiceId = await collected(accountId);
    expect(await arrearsOf(bench.manager, accountId)).toBeDefined();
    const { url } = await openPage(accountId);
    await submit(url, card);
    await settle();
    expect([await openOf(invoiceId), await creditOf(accountId)]).toEqual([0, 5000 - HOUR_MINOR]);
    expect(await providerInvoicesOf(bench.world, accountId)).toEqual([`void ${HOUR_MINOR}`]);
    expect(await arrearsOf(bench.manager, accountId)).toBeUndefined();
  });

  it('that is disputed and lost is taken from the credit, and owed where it is spent', async () => {
    const accountId = await customer();
    const { url } = await openPage(accountId, 2000);
    await submit(url, card);
    await settle();
    const invoiceId = await collected(accountId);
    const [topUp] = await bench.world.topUps.list(accountId, { limit: 5 });
    const dispute = bench.payments.emulator.dispute({ payment: String(topUp?.paymentId) });
    await settle();
    bench.payments.emulator.closeDispute(dispute, 'lost');
    await settle();
    const owed = await ledgerBalance(bench.manager, 'receivable', 'eur', { customerId: accountId });
    expect([await creditOf(accountId), Number(owed)]).toEqual([0, HOUR_MINOR]);
    expect(await openOf(invoiceId)).toBe(HOUR_MINOR);
    await expectAskedAndNotCharged(accountId, invoiceId);
  });

  it('that is refunded at the provider after it is spent is owed on the invoice it has paid', async () => {
    const accountId = await customer(GOOD);
    const { url } = await openPage(accountId, 2000);
    await submit(url, card);
    await settle();
    const invoiceId = await collected(accountId);
    const [topUp] = await bench.world.topUps.list(accountId, { limit: 5 });
    const refund = { paymentId: String(topUp?.paymentId), amountMinor: 2000, reference: 'all of it' };
    await bench.payments.provider.money.refund({ ...refund, reason: 'duplicate', ...bench.key() });
    await settle();
    expect([await creditOf(accountId), await openOf(invoiceId)]).toEqual([0, HOUR_MINOR]);
    await expectAskedAndNotCharged(accountId, invoiceId);
  });

  it('that is refunded at the provider after it paid a part is asked for with the rest', async () => {
    const accountId = await customer();
    const { url } = await openPage(accountId, 400);
    await submit(url, card);
    await settle();
    const invoiceId = await collected(accountId);
    expect(await bench.newest(invoiceId)).toMatchObject({ status: 'open', amountMinor: HOUR_MINOR - 400 });
    const [topUp] = await bench.world.topUps.list(accountId, { limit: 5 });
    const refund = { paymentId: String(topUp?.paymentId), amountMinor: 400, reference: 'all of it' };
    await bench.payments.provider.money.refund({ ...refund, reason: 'duplicate', ...bench.key() });
    await settle();
    expect(await openOf(invoiceId)).toBe(HOUR_MINOR);
    await expectAskedAndNotCharged(accountId, invoiceId);
  });

  it('that is refunded at the provider leaves the credit', async () => {
    const accountId = await customer();
    const { url } = await openPage(accountId, 2000);
    await submit(url, card);
    await settle();
    const [topUp] = await bench.world.topUps.list(accountId, { limit: 5 });
    for (const amountMinor of [500, 700]) {
      const refund = { paymentId: String(topUp?.paymentId), amountMinor, reference: `${amountMinor}` };
      await bench.payments.provider.money.refund({ ...refund, reason: 'duplicate', ...bench.key() });
    }
    await settle();
    expect(await creditOf(accountId)).toBe(800);
  });

  it('is refused below what can be charged', async () => {
    await expect(openPage(await customer(), 49)).rejects.toMatchObject({ code: 'amount_invalid' });
  });
});

describe('a recharge', () => {
  const withMark = async (number: string) => {
    const accountId = await customer(number);
    await bench.within(async (m) => {
      await ensureBooks(m, accountId, 'eur', now());
      await setRecharge(m, accountId, { belowMinor: 1000, amountMinor: 2000 });
    });
    return accountId;
  };
  const rechargesOf = async (accountId: number) =>
    (await bench.world.topUps.list(accountId, { limit: 9 })).map(({ status }) => status);

  it('happens once for each fall below the mark, though two look at once', async () => {
    const accountId = await withMark(GOOD);
    const other = await createDataSource(bench.url).initialize();
    const started = await Promise.all([
      rechargeDue(bench.dataSource, bench.world.store, now()),
      rechargeDue(other, new SagaStore(other), now()),
    ]);
    await other.destroy();
    expect(started.sort()).toEqual([0, 1]);
    await settle();
    expect([await rechargesOf(accountId), await creditOf(accountId)]).toEqual([['paid'], 2000]);
    expect(await rechargeDue(bench.dataSource, bench.world.store, now())).toBe(0);
    const invoiceId = await collected(accountId);
    expect([await openOf(invoiceId), await creditOf(accountId)]).toEqual([0, 2000 - HOUR_MINOR]);
    expect(await rechargeDue(bench.dataSource, bench.world.store, now())).toBe(1);
    await settle();
    expect([await rechargesOf(accountId), await creditOf(accountId)]).toEqual([
      ['paid', 'paid'],
      4000 - HOUR_MINOR,
    ]);
  });

  it('that is declined is not tried again before there is another card', async () => {
    const accountId = await withMark(DECLINED_LATER);
    expect(await rechargeDue(bench.dataSource, bench.world.store, now())).toBe(1);
    await settle();
    expect(await rechargesOf(accountId)).toEqual(['failed']);
    expect(await rechargeDue(bench.dataSource, bench.world.store, now())).toBe(0);
    await addCard(bench.world, accountId, GOOD);
    await settle();
    expect(await rechargeDue(bench.dataSource, bench.world.store, now())).toBe(1);
    await settle();
    expect([await rechargesOf(accountId), await creditOf(accountId)]).toEqual([['paid', 'failed'], 2000]);
  });

  it('whose charge was not answered is charged once', async () => {
    const accountId = await withMark(GOOD);
    bench.payments.emulator.addFaults({
      api: [
        { match: 'POST /v1/payment_intents', effect: 'cut_after' },
        { match: 'POST /v1/payment_intents/:id/confirm', effect: 'cut_after', times: 2 },
      ],
      webhooks: [{ effect: 'duplicate', times: 5 }],
    });
    await rechargeDue(bench.dataSource, bench.world.store, now());
    await settle();
    expect([await rechargesOf(accountId), await creditOf(accountId)]).toEqual([['paid'], 2000]);
    expect(await providerPaymentsOf(bench.world, accountId)).toEqual(['succeeded']);
  });

  it('of a customer without a card fails, and says why', async () => {
    const accountId = await customer();
    await bench.within(async (m) => {
      await ensureBooks(m, accountId, 'eur', now());
      await setRecharge(m, accountId, { belowMinor: 1000, amountMinor: 2000 });
    });
    await rechargeDue(bench.dataSource, bench.world.store, now());
    await settle();
    expect(await bench.world.topUps.list(accountId, { limit: 9 })).toMatchObject([
      { status: 'failed', declineCode: 'no_card' },
    ]);
  });
});
