import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Emulator, startEmulator } from '../emulator/index.ts';
import { confirmWithBank, startRecordingProxy, submit } from '../harness/index.ts';
import { wrongObjects, wrongRequests } from '../harness/wire.ts';
import { StripeProvider } from './index.ts';

const KEY = 'sk_test_money';
const ACCOUNT = 4711;
let emulator: Emulator;
let proxy: Awaited<ReturnType<typeof startRecordingProxy>>;
let provider: StripeProvider;
let serial = 0;
/** A key as a caller would have stored it. */
const keyed = () => {
  serial += 1;
  return { idempotencyKey: `key-${serial}` };
};
const reference = () => `reference-${serial}`;
const code = (expected: string) => expect.objectContaining({ code: expected });
const card = (number: string) => ({ number, expiry: '12 / 34', cvc: '123', name: 'Ada' });

beforeAll(async () => {
  emulator = await startEmulator({ port: 0, apiKey: KEY });
  proxy = await startRecordingProxy(emulator.url);
  provider = new StripeProvider({
    secretKey: KEY,
    webhookSecret: 'whsec_money',
    server: { host: '127.0.0.1', port: proxy.port, protocol: 'http' },
    timeoutMilliseconds: 500,
    retries: 1,
  });
});
afterEach(() => emulator.clearFaults());
afterAll(async () => {
  await proxy.close();
  await emulator.close();
});

async function customerWithCard(number = '4242424242424242') {
  const asked = { accountId: ACCOUNT, email: 'ada@example.test', ...keyed() };
  const { customerId } = await provider.createCustomer(asked);
  const setup = await provider.openCardSetup({
    accountId: ACCOUNT,
    customerId,
    currency: 'eur',
    successUrl: 'http://127.0.0.1:9/',
    cancelUrl: 'http://127.0.0.1:9/',
    ...keyed(),
  });
  const sent = await submit(String(setup.url), card(number));
  if (sent.includes('/3ds/')) await confirmWithBank(sent);
  const { cardId } = await provider.fetchCardSetup(setup.setupId);
  await provider.makeDefaultCard({ customerId, cardId: String(cardId), ...keyed() });
  return { customerId, cardId: String(cardId) };
}

function createInvoice(customerId: string, days?: number) {
  return provider.invoices.create({
    accountId: ACCOUNT,
    customerId,
    currency: 'eur',
    collection: days === undefined ? { by: 'card' } : { by: 'terms', days },
    ...keyed(),
    reference: reference(),
  });
}

async function openInvoice(customerId: string, amountMinor = 900, retries = false) {
  const { invoiceId } = await createInvoice(customerId);
  await provider.invoices.addLine({
    invoiceId,
    customerId,
    amountMinor,
    currency: 'eur',
    description: 'web-1 (s1), 1–30 June, 720 h',
    from: new Date('2026-06-01T00:00:00Z'),
    to: new Date('2026-07-01T00:00:00Z'),
    ...keyed(),
    reference: `line of ${invoiceId}`,
  });
  return provider.invoices.finalize({ invoiceId, retries, ...keyed() });
}

async function payment(owner: { customerId: string; cardId: string }, amountMinor = 900) {
  const asked = {
    accountId: ACCOUNT,
    ...owner,
    amountMinor,
    currency: 'eur',
    description: 'Top-up',
    ...keyed(),
  } as const;
  return provider.money.openPayment({ ...asked, reference: reference() });
}

describe('an invoice', () => {
  it('is found by its reference, filled, fixed, paid, and shows its page and file', async () => {
    const { customerId } = await customerWithCard();
    const draft = await createInvoice(customerId);
    expect(draft).toMatchObject({
      status: 'draft',
      accountId: ACCOUNT,
      customerId,
      totalMinor: 0,
      number: undefined,
    });
    const found = await provider.invoices.find({ customerId, reference: String(draft.reference) });
    expect(found?.invoiceId).toBe(draft.invoiceId);
    expect(await provider.invoices.find({ customerId, reference: 'none' })).toBeUndefined();
    const { invoiceId, number } = await openInvoice(customerId);
    expect(number).toMatch(/-0001$/);
    expect(await provider.invoices.listLines(invoiceId)).toMatchObject([
      { reference: `line of ${invoiceId}`, amountMinor: 900, currency: 'eur' },
    ]);
    const paid = await provider.invoices.pay({ invoiceId, ...keyed() });
    expect(paid).toMatchObject({ status: 'paid', paidMinor: 900, remainingMinor: 0, decline: undefined });
    expect(await provider.invoices.pay({ invoiceId, ...keyed() })).toEqual(paid);
    expect((await fetch(String(paid.pageUrl))).status).toBe(200);
    expect((await fetch(String(paid.pdfUrl))).headers.get('content-type')).toBe('application/pdf');
    expect(await provider.money.fetchPayment(String(paid.paymentId))).toMatchObject({
      invoiceId,
      receivedMinor: 900,
      status: 'succeeded',
    });
  });

  it.each([
    ['4000000000000341', 'card_declined', false],
    ['4000002760003184', 'authentication_required', true],
  ])('that the card %s does not pay says why, and stays open', async (number, reason, isFinal) => {
    const { customerId } = await customerWithCard(number);
    const { invoiceId } = await openInvoice(customerId);
    const refused = await provider.invoices.pay({ invoiceId, ...keyed() });
    expect(refused).toMatchObject({ status: 'open', attempts: 1, decline: { code: reason, isFinal } });
  });

  it('without a card is refused with that code', async () => {
    const { customerId } = await provider.createCustomer({
      accountId: ACCOUNT,
      email: 'a@b.test',
      ...keyed(),
    });
    const { invoiceId } = await openInvoice(customerId);
    await expect(provider.invoices.pay({ invoiceId, ...keyed() })).rejects.toEqual(code('no_card'));
  });

  it('is collected by the provider itself where that is wanted', async () => {
    const { customerId } = await customerWithCard();
    const { invoiceId, status } = await openInvoice(customerId, 900, true);
    expect(status).toBe('open');
    emulator.advance(3601);
    expect(await provider.invoices.fetch(invoiceId)).toMatchObject({ status: 'paid', attempts: 1 });
  });

  it('is voided, written off, settled elsewhere or sent; each again is no error', async () => {
    const { customerId } = await customerWithCard();
    const { invoices } = provider;
    for (const [act, status] of [
      ['void', 'void'],
      ['writeOff', 'uncollectible'],
      ['settleElsewhere', 'paid'],
    ] as const) {
      const { invoiceId } = await openInvoice(customerId);
      expect(await invoices[act]({ invoiceId, ...keyed() })).toMatchObject({ status });
      expect(await invoices[act]({ invoiceId, ...keyed() })).toMatchObject({ status });
      if (act === 'writeOff') continue;
      await expect(invoices.writeOff({ invoiceId, ...keyed() })).rejects.toEqual(code('invoice_not_open'));
    }
    const terms = await createInvoice(customerId, 14);
    const sent = await invoices.send({ invoiceId: terms.invoiceId, ...keyed() });
    expect(sent.dueAt?.getTime()).toBe(sent.createdAt.getTime() + 14 * 86_400_000);
  });

  it('is thrown away as a draft alone, and unknown afterwards', async () => {
    const { customerId } = await customerWithCard();
    const { invoiceId } = await createInvoice(customerId);
    await provider.invoices.discard({ invoiceId, ...keyed() });
    await provider.invoices.discard({ invoiceId, ...keyed() });
    await expect(provider.invoices.fetch(invoiceId)).rejects.toEqual(code('invoice_not_found'));
    const open = await openInvoice(customerId);
    await expect(provider.invoices.discard({ invoiceId: open.invoiceId, ...keyed() })).rejects.toEqual(
      code('invoice_not_open'),
    );
  });

  it('is charged once by a call that is repeated with its key after silence', async () => {
    const { customerId } = await customerWithCard();
    const { invoiceId, paymentId } = await openInvoice(customerId);
    const key = keyed();
    for (const effect of ['timeout_after', 'cut_after', 'error_429', 'error_409'] as const) {
      emulator.addFaults({ api: [{ match: 'POST /v1/invoices/:id/pay', effect, times: 2 }] });
      await expect(provider.invoices.pay({ invoiceId, ...key })).rejects.toMatchObject({
        code: 'provider_unavailable',
        retryable: true,
      });
    }
    expect(await provider.invoices.pay({ invoiceId, ...key })).toMatchObject({ status: 'paid' });
    const line = emulator.ledger().intents.find(({ holdId }) => holdId === paymentId);
    expect(line).toMatchObject({ capturedMinor: 900, invoiceId });
  });
});

describe('a top-up', () => {
  const openTopUp = async (savesCard = false) => {
    const { customerId } = await provider.createCustomer({
      accountId: ACCOUNT,
      email: 'a@b.test',
      ...keyed(),
    });
    return provider.money.openTopUp({
      accountId: ACCOUNT,
      customerId,
      amountMinor: 5000,
      currency: 'eur',
      description: 'Servery credit',
      successUrl: 'http://127.0.0.1:9/back?top-up={TOP_UP_ID}',
      cancelUrl: 'http://127.0.0.1:9/back',
      savesCard,
      ...keyed(),
      reference: reference(),
    });
  };

  it('is paid on the page, and its card kept where that was asked for', async () => {
    const topUp = await openTopUp(true);
    expect(topUp).toMatchObject({ status: 'open', amountMinor: 5000, accountId: ACCOUNT });
    expect(await submit(String(topUp.url), card('4242424242424242'))).toContain(`top-up=${topUp.topUpId}`);
    const done = await provider.money.fetchTopUp(topUp.topUpId);
    expect(done).toMatchObject({ status: 'paid', url: undefined });
    const { customerId } = topUp;
    expect(await provider.money.findTopUp({ customerId, reference: String(topUp.reference) })).toEqual(done);
    expect(await provider.listCards(customerId)).toHaveLength(1);
    expect(await provider.money.fetchPayment(String(done.paymentId))).toMatchObject({
      reference: topUp.reference,
      receivedMinor: 5000,
      invoiceId: undefined,
    });
  });

  it('by bank debit is under way first', async () => {
    const good = await openTopUp();
    const bad = await openTopUp();
    await submit(String(good.url), { iban: 'AT611904300234573201' });
    await submit(String(bad.url), { iban: 'AT861904300235473202' });
    const statusOf = async ({ topUpId }: { topUpId: string }) =>
      (await provider.money.fetchTopUp(topUpId)).status;
    expect([await statusOf(good), await statusOf(bad)]).toEqual(['processing', 'processing']);
    emulator.advance(181);
    expect([await statusOf(good), await statusOf(bad)]).toEqual(['paid', 'failed']);
  });

  it('that is cancelled cannot be paid; one that is paid cannot be cancelled', async () => {
    const { topUpId } = await openTopUp();
    expect(await provider.money.cancelTopUp({ topUpId, ...keyed() })).toMatchObject({ status: 'expired' });
    const paid = await openTopUp();
    await submit(String(paid.url), card('4242424242424242'));
    expect(await provider.money.cancelTopUp({ topUpId: paid.topUpId, ...keyed() })).toMatchObject({
      status: 'paid',
    });
  });
});

describe('a payment', () => {
  it('is charged once it is confirmed, refunded in parts, and no further', async () => {
    const owner = await customerWithCard();
    const opened = await payment(owner);
    const { paymentId, customerId } = opened;
    expect(opened).toMatchObject({ status: 'opened', receivedMinor: 0 });
    const key = keyed();
    const paid = await provider.money.confirmPayment({ paymentId, ...key });
    expect(paid).toMatchObject({ status: 'succeeded', receivedMinor: 900 });
    expect(await provider.money.confirmPayment({ paymentId, ...keyed() })).toEqual(paid);
    expect(await provider.money.cancelPayment({ paymentId, ...keyed() })).toEqual(paid);
    const found = await provider.money.findPayment({
      customerId: String(customerId),
      reference: String(opened.reference),
    });
    expect(found).toEqual(paid);
    const asked = {
      paymentId,
      amountMinor: 300,
      reason: 'requested_by_customer',
      reference: 'part 1',
    } as const;
    const refund = await provider.money.refund({ ...asked, ...keyed() });
    expect(refund).toMatchObject({ status: 'succeeded', amountMinor: 300, paymentId });
    expect(await provider.money.findRefund({ paymentId, reference: 'part 1' })).toEqual(refund);
    await expect(provider.money.refund({ ...asked, amountMinor: 601, ...keyed() })).rejects.toEqual(
      code('refund_too_large'),
    );
    await provider.money.refund({ ...asked, amountMinor: 600, ...keyed() });
    await expect(provider.money.refund({ ...asked, amountMinor: 1, ...keyed() })).rejects.toEqual(
      code('refund_too_large'),
    );
    expect(await provider.money.fetchPayment(paymentId)).toMatchObject({ refundedMinor: 900 });
  });

  it('that is declined says why, and can be given up', async () => {
    const { paymentId } = await payment(await customerWithCard('4000000000000341'));
    const declined = await provider.money.confirmPayment({ paymentId, ...keyed() });
    expect(declined).toMatchObject({
      status: 'declined',
      decline: { code: 'card_declined', isFinal: false },
    });
    expect(await provider.money.cancelPayment({ paymentId, ...keyed() })).toMatchObject({
      status: 'cancelled',
    });
    await expect(provider.money.fetchPayment('pi_none')).rejects.toEqual(code('payment_not_found'));
  });

  it('that is disputed says so; the dispute may be accepted, once', async () => {
    const { paymentId } = await payment(await customerWithCard('4000000000000259'));
    await provider.money.confirmPayment({ paymentId, ...keyed() });
    expect(await provider.money.fetchPayment(paymentId)).toMatchObject({ isDisputed: true });
    const disputes = [];
    for await (const dispute of provider.money.listDisputes(new Date(0))) disputes.push(dispute);
    const dispute = disputes.find((one) => one.paymentId === paymentId);
    expect(dispute).toMatchObject({ status: 'open', amountMinor: 900, reason: 'fraudulent' });
    const disputeId = String(dispute?.disputeId);
    for (let count = 0; count < 2; count += 1) {
      expect(await provider.money.acceptDispute({ disputeId, ...keyed() })).toMatchObject({ status: 'lost' });
    }
    await expect(provider.money.fetchDispute('du_none')).rejects.toEqual(code('dispute_not_found'));
  });
});

describe('a customer', () => {
  it('has a balance that counts in, a portal, and an end', async () => {
    const { customerId } = await customerWithCard();
    const change = {
      accountId: ACCOUNT,
      customerId,
      amountMinor: -400,
      currency: 'eur',
      description: 'Sorry',
    } as const;
    const changed = await provider.money.changeBalance({ ...change, ...keyed(), reference: 'gift' });
    expect(changed).toMatchObject({ amountMinor: -400, balanceMinor: -400 });
    expect(await provider.money.findBalanceChange({ customerId, reference: 'gift' })).toEqual(changed);
    expect(await openInvoice(customerId)).toMatchObject({ totalMinor: 900, dueMinor: 500 });
    const portal = await provider.money.openPortal({
      customerId,
      returnUrl: 'http://127.0.0.1:9/',
      ...keyed(),
    });
    expect(await (await fetch(portal.url)).text()).toContain('Your cards');
    await provider.money.deleteCustomer({ customerId, ...keyed() });
    await provider.money.deleteCustomer({ customerId, ...keyed() });
    expect(await provider.money.fetchCustomer(customerId)).toMatchObject({ isDeleted: true });
  });
});

describe('lists', () => {
  it('hold everything since a moment, page after page, as the other side counts it', async () => {
    const owner = await customerWithCard();
    const moment = new Date((emulator.now() + 1) * 1000);
    emulator.advance(10);
    for (let count = 0; count < 101; count += 1) await payment(owner);
    const { paymentId } = await payment(owner);
    await provider.money.confirmPayment({ paymentId, ...keyed() });
    await provider.money.refund({
      paymentId,
      amountMinor: 1,
      reason: 'duplicate',
      reference: 'one cent',
      ...keyed(),
    });
    const all = async <T>(list: AsyncIterable<T>) => {
      const found: T[] = [];
      for await (const one of list) found.push(one);
      return found;
    };
    expect(await all(provider.money.listPayments(moment))).toHaveLength(102);
    expect(await all(provider.money.listRefunds(moment))).toMatchObject([{ paymentId, amountMinor: 1 }]);
    const { invoiceId } = await openInvoice(owner.customerId);
    expect(await all(provider.invoices.list(moment))).toMatchObject([{ invoiceId, status: 'open' }]);
  }, 60_000);
});

describe('what was said on the wire', () => {
  it('keeps to the schemas and examples of Stripe, and carries a key with every change', () => {
    expect(wrongRequests(proxy.calls)).toEqual([]);
    expect(wrongObjects(proxy.calls).problems).toEqual([]);
    const changes = proxy.calls.filter((call) => call.method !== 'GET');
    expect(changes.filter((call) => !call.idempotencyKey?.startsWith('key-'))).toEqual([]);
  });
});
