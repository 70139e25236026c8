import Stripe from 'stripe';
import { describe, expect, it } from 'vitest';
import { emulatedStripe } from '../harness/emulated-stripe.ts';
import { confirmWithBank, submit } from '../harness/index.ts';
import { wrongObjects, wrongRequests } from '../harness/wire.ts';

const bench = emulatedStripe();
const DAY = 86_400;
const CARD_ERROR = expect.objectContaining({ type: 'StripeCardError' });

async function draft(customer: string, amounts = [900, 350], more: Stripe.InvoiceCreateParams = {}) {
  const invoice = await bench.stripe.invoices.create({ customer, currency: 'eur', ...more });
  for (const amount of amounts) {
    await bench.stripe.invoiceItems.create({
      customer,
      invoice: invoice.id,
      amount,
      currency: 'eur',
      description: `Server, ${amount}`,
      period: { start: 1_700_000_000, end: 1_700_003_600 },
    });
  }
  return invoice.id;
}

const open = async (customer: string, amounts?: number[], more?: Stripe.InvoiceCreateParams) =>
  bench.stripe.invoices.finalizeInvoice(await draft(customer, amounts, more));
const paymentOf = async (id: string) => {
  const invoice = await bench.stripe.invoices.retrieve(id, {
    expand: ['payments.data.payment.payment_intent'],
  });
  return invoice.payments?.data[0]?.payment.payment_intent as Stripe.PaymentIntent;
};
const code = (expected: string) => expect.objectContaining({ code: expected });

describe('an invoice', () => {
  it('goes from a draft with lines to a paid one', async () => {
    const customer = await bench.customer();
    const id = await draft(customer.id);
    const drafted = await bench.stripe.invoices.retrieve(id);
    expect(drafted).toMatchObject({ status: 'draft', total: 1250, number: null, hosted_invoice_url: null });
    expect(drafted.lines.data.map((line) => [line.description, line.amount, line.period.start])).toEqual([
      ['Server, 900', 900, 1_700_000_000],
      ['Server, 350', 350, 1_700_000_000],
    ]);
    const final = await bench.stripe.invoices.finalizeInvoice(id);
    expect(final).toMatchObject({
      status: 'open',
      amount_due: 1250,
      amount_remaining: 1250,
      attempt_count: 0,
    });
    expect(final.number).toBe(`${customer.invoice_prefix}-0001`);
    const paid = await bench.stripe.invoices.pay(id);
    expect(paid).toMatchObject({ status: 'paid', amount_paid: 1250, amount_remaining: 0, attempt_count: 1 });
    expect(await paymentOf(id)).toMatchObject({ status: 'succeeded', amount_received: 1250 });
    expect(await bench.eventsOf(id)).toEqual([
      'invoice.created',
      'invoice.finalized',
      'invoice.paid',
      'invoice.payment_succeeded',
    ]);
    await expect(bench.stripe.invoices.pay(id)).rejects.toEqual(code('invoice_already_paid'));
    expect((await open(customer.id)).number).toBe(`${customer.invoice_prefix}-0002`);
  });

  it('takes more lines than it carries with it, and lists them page by page', async () => {
    const { id: customer } = await bench.customer();
    const { id } = await bench.stripe.invoices.create({ customer, currency: 'eur' });
    const lines = Array.from({ length: 25 }, (_, index) => ({ amount: index, description: `Line ${index}` }));
    const after = await bench.stripe.invoices.addLines(id, { lines });
    expect([after.total, after.lines.data.length, after.lines.has_more]).toEqual([300, 10, true]);
    const listed: number[] = [];
    for await (const line of bench.stripe.invoices.listLineItems(id, { limit: 10 })) listed.push(line.amount);
    expect(listed).toEqual(lines.map((line) => line.amount));
  });

  it('takes up what waits for its customer where it is asked to', async () => {
    const { id: customer } = await bench.customer();
    const waiting = await bench.stripe.invoiceItems.create({ customer, amount: 700, currency: 'eur' });
    expect(waiting.invoice).toBeNull();
    const without = await bench.stripe.invoices.create({ customer, currency: 'eur' });
    expect(without.total).toBe(0);
    const invoice = await bench.stripe.invoices.create({
      customer,
      currency: 'eur',
      pending_invoice_items_behavior: 'include',
    });
    expect(invoice.total).toBe(700);
    await bench.stripe.invoiceItems.update(waiting.id, { amount: 650 });
    expect((await bench.stripe.invoices.retrieve(invoice.id)).total).toBe(650);
    await bench.stripe.invoiceItems.del(waiting.id);
    expect((await bench.stripe.invoices.retrieve(invoice.id)).total).toBe(0);
  });

  it('cannot be changed once it is final, nor thrown away', async () => {
    const { id: customer } = await bench.customer();
    const { id } = await open(customer);
    const item = { customer, invoice: id, amount: 1, currency: 'eur' };
    await expect(bench.stripe.invoiceItems.create(item)).rejects.toEqual(code('invoice_not_editable'));
    await expect(bench.stripe.invoices.finalizeInvoice(id)).rejects.toEqual(code('invoice_not_editable'));
    await expect(bench.stripe.invoices.del(id)).rejects.toEqual(code('invoice_not_editable'));
    await expect(bench.stripe.invoices.update(id, { description: 'x' })).rejects.toEqual(
      code('invoice_not_editable'),
    );
    await bench.stripe.invoices.update(id, { metadata: { note: 'y' } });
    const unwanted = await draft(customer);
    expect(await bench.stripe.invoices.del(unwanted)).toEqual({
      id: unwanted,
      object: 'invoice',
      deleted: true,
    });
    await expect(bench.stripe.invoices.retrieve(unwanted)).rejects.toEqual(code('resource_missing'));
  });

  it('is voided, written off, or settled elsewhere; only the first is final', async () => {
    const { id: customer } = await bench.customer();
    const { id: voided } = await open(customer);
    expect((await bench.stripe.invoices.voidInvoice(voided)).status).toBe('void');
    expect((await paymentOf(voided)).status).toBe('canceled');
    await expect(bench.stripe.invoices.pay(voided)).rejects.toMatchObject({ statusCode: 400 });
    const { id: lost } = await open(customer);
    expect((await bench.stripe.invoices.markUncollectible(lost)).status).toBe('uncollectible');
    expect((await bench.stripe.invoices.pay(lost)).status).toBe('paid');
    await expect(bench.stripe.invoices.voidInvoice(lost)).rejects.toEqual(code('status_transition_invalid'));
    const { id: wired } = await open(customer);
    expect((await bench.stripe.invoices.pay(wired, { paid_out_of_band: true })).status).toBe('paid');
    expect((await paymentOf(wired)).status).toBe('canceled');
  });

  it('with terms is sent, and due after so many days', async () => {
    const { id: customer } = await bench.customer();
    await expect(
      bench.stripe.invoices.create({ customer, collection_method: 'send_invoice' }),
    ).rejects.toMatchObject({ param: 'days_until_due' });
    const id = await draft(customer, [900], { collection_method: 'send_invoice', days_until_due: 14 });
    const sent = await bench.stripe.invoices.sendInvoice(id);
    expect(sent).toMatchObject({
      status: 'open',
      due_date: sent.created + 14 * DAY,
      next_payment_attempt: null,
    });
    expect(await bench.eventsOf(id)).toContain('invoice.sent');
  });

  it('of nothing, or of less than the least charge, is paid at once and carried over', async () => {
    const customer = await bench.customer();
    expect((await open(customer.id, [])).status).toBe('paid');
    expect(await open(customer.id, [49])).toMatchObject({
      status: 'paid',
      amount_due: 0,
      ending_balance: 49,
    });
    expect(await open(customer.id, [900])).toMatchObject({ starting_balance: 49, amount_due: 949 });
    expect(await open(customer.id, [-300])).toMatchObject({
      status: 'paid',
      total: -300,
      ending_balance: -300,
    });
    expect(await open(customer.id, [900])).toMatchObject({ amount_due: 600, ending_balance: 0 });
  });
});

describe('the balance of a customer', () => {
  it('counts in on the next invoice, and comes back when that is voided', async () => {
    const { id: customer } = await bench.customer();
    const change = { amount: -500, currency: 'eur', description: 'A gift' };
    expect(await bench.stripe.customers.createBalanceTransaction(customer, change)).toMatchObject({
      ending_balance: -500,
      type: 'adjustment',
    });
    const small = await open(customer, [300]);
    expect(small).toMatchObject({
      status: 'paid',
      amount_due: 0,
      starting_balance: -500,
      ending_balance: -200,
    });
    const large = await open(customer, [900]);
    expect(large).toMatchObject({ status: 'open', amount_due: 700, ending_balance: 0 });
    await bench.stripe.invoices.voidInvoice(large.id);
    const balance = async () =>
      ((await bench.stripe.customers.retrieve(customer)) as Stripe.Customer).balance;
    expect(await balance()).toBe(-200);
    const { data } = await bench.stripe.customers.listBalanceTransactions(customer);
    expect(data.map(({ type, amount }) => [type, amount])).toEqual([
      ['unapplied_from_invoice', -200],
      ['applied_to_invoice', 200],
      ['applied_to_invoice', 300],
      ['adjustment', -500],
    ]);
  });
});

describe('collecting', () => {
  it('fails with a card that is declined, and succeeds with another one', async () => {
    const { id: customer } = await bench.customer('pm_card_chargeCustomerFail');
    const { id } = await open(customer);
    await expect(bench.stripe.invoices.pay(id)).rejects.toEqual(CARD_ERROR);
    const failed = await bench.stripe.invoices.retrieve(id);
    expect(failed).toMatchObject({
      status: 'open',
      attempted: true,
      attempt_count: 1,
      next_payment_attempt: null,
    });
    const card = await bench.stripe.paymentMethods.attach('pm_card_mastercard', { customer });
    expect((await bench.stripe.invoices.pay(id, { payment_method: card.id })).status).toBe('paid');
    expect(await bench.eventsOf(id)).toEqual([
      'invoice.created',
      'invoice.finalized',
      'invoice.payment_failed',
      'invoice.paid',
      'invoice.payment_succeeded',
    ]);
  });

  it('is refused without a card', async () => {
    const { id: customer } = await bench.stripe.customers.create();
    const { id } = await open(customer);
    await expect(bench.stripe.invoices.pay(id)).rejects.toMatchObject({ statusCode: 400 });
  });

  it('asks a customer whose bank wants them to come, who pays on the page of the bank', async () => {
    const { id: customer } = await bench.customer('pm_card_visa');
    const card = await bench.stripe.paymentMethods.attach('pm_card_authenticationRequired', { customer });
    const { id } = await open(customer);
    await expect(
      bench.stripe.invoices.pay(id, { payment_method: card.id, off_session: true }),
    ).rejects.toEqual(code('authentication_required'));
    const intent = await paymentOf(id);
    expect(intent.status).toBe('requires_action');
    expect(await bench.eventsOf(id)).toContain('invoice.payment_action_required');
    const back = await confirmWithBank(String(intent.next_action?.redirect_to_url?.url));
    expect(back).toContain(`/i/${id}`);
    expect((await bench.stripe.invoices.retrieve(id)).status).toBe('paid');
  });

  it('goes on by itself after three, five and seven days, and then gives up', async () => {
    const clock = await bench.stripe.testHelpers.testClocks.create({ frozen_time: 1_800_000_000 });
    const { id: customer } = await bench.customer('pm_card_chargeCustomerFail', { test_clock: clock.id });
    const id = await draft(customer, [900], { auto_advance: true });
    const seen: (readonly [number, number, number | null])[] = [];
    for (const days of [1, 3, 5, 7, 30]) {
      await advance(clock.id, days * DAY);
      const invoice = await bench.stripe.invoices.retrieve(id);
      const next = invoice.next_payment_attempt;
      seen.push([days, invoice.attempt_count, next && next - 1_800_003_600]);
    }
    expect(seen).toEqual([
      [1, 1, 3 * DAY],
      [3, 2, 8 * DAY],
      [5, 3, 15 * DAY],
      [7, 4, null],
      [30, 4, null],
    ]);
    expect((await bench.stripe.invoices.retrieve(id)).status).toBe('open');
  });

  it('by itself succeeds when the customer has a better card in time', async () => {
    const clock = await bench.stripe.testHelpers.testClocks.create({ frozen_time: 1_800_000_000 });
    const { id: customer } = await bench.customer('pm_card_chargeCustomerFail', { test_clock: clock.id });
    const id = await draft(customer, [900], { auto_advance: true });
    await advance(clock.id, DAY);
    const card = await bench.stripe.paymentMethods.attach('pm_card_visa', { customer });
    await bench.stripe.customers.update(customer, { invoice_settings: { default_payment_method: card.id } });
    await advance(clock.id, 3 * DAY);
    const invoice = await bench.stripe.invoices.retrieve(id);
    expect(invoice).toMatchObject({ status: 'paid', attempt_count: 2 });
    expect(invoice.status_transitions.paid_at).toBe(1_800_003_600 + 3 * DAY);
  });

  async function advance(clock: string, seconds: number): Promise<void> {
    const { frozen_time } = await bench.stripe.testHelpers.testClocks.retrieve(clock);
    const moving = await bench.stripe.testHelpers.testClocks.advance(clock, {
      frozen_time: frozen_time + seconds,
    });
    expect(moving.status).toBe('advancing');
    for (let count = 0; count < 100; count += 1) {
      const { status } = await bench.stripe.testHelpers.testClocks.retrieve(clock);
      if (status === 'ready') return;
    }
    throw new Error('the clock never arrived');
  }
});

describe('the hosted page', () => {
  const card = (number: string) => ({ number, expiry: '12 / 34', cvc: '123', name: 'Ada' });

  it('shows the lines, takes a card, and gives a file', async () => {
    const { id: customer } = await bench.stripe.customers.create({ name: '<Ada>' });
    const invoice = await open(customer, [900, 350]);
    const url = String(invoice.hosted_invoice_url);
    const page = await (await fetch(url)).text();
    expect(page).toContain('Server, 900');
    expect(page).toContain('12.50 EUR');
    expect(await submit(url, card('4000000000000002'))).toContain('Your card was declined.');
    expect(await submit(url, card('4242424242424242'))).toBe(url);
    expect((await bench.stripe.invoices.retrieve(invoice.id)).status).toBe('paid');
    expect(await submit(url, card('4242424242424242'))).not.toContain('<form');
    const file = await fetch(String(invoice.invoice_pdf));
    expect(file.headers.get('content-type')).toBe('application/pdf');
    const pdf = Buffer.from(await file.arrayBuffer()).toString('latin1');
    const table = Number(/startxref\n(\d+)/.exec(pdf)?.[1]);
    expect(pdf.slice(0, 8)).toBe('%PDF-1.4');
    expect(pdf.slice(table, table + 4)).toBe('xref');
    expect(pdf).toContain('Server, 350');
  });

  it('of a draft is not there', async () => {
    const { id: customer } = await bench.stripe.customers.create();
    const id = await draft(customer);
    expect((await fetch(`${bench.emulator.url}/i/${id}`)).status).toBe(404);
    expect((await fetch(`${bench.emulator.url}/i/${id}/pdf`)).status).toBe(404);
  });
});

describe('what was said on the wire', () => {
  it('keeps to Stripe’s schemas and examples', async () => {
    const { id: customer } = await bench.customer();
    const { id } = await open(customer);
    await bench.stripe.invoicePayments.list({ invoice: id });
    expect(wrongRequests(bench.calls)).toEqual([]);
    const { problems, kinds } = wrongObjects(bench.calls);
    expect(problems).toEqual([]);
    expect(kinds).toEqual(
      expect.arrayContaining([
        'customer_balance_transaction',
        'invoice',
        'invoice_payment',
        'invoiceitem',
        'line_item',
        'test_helpers.test_clock',
      ]),
    );
  });
});
