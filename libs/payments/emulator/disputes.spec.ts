import type Stripe from 'stripe';
import { describe, expect, it } from 'vitest';
import { emulatedStripe } from '../harness/emulated-stripe.ts';
import { wrongObjects, wrongRequests } from '../harness/wire.ts';

const bench = emulatedStripe();
const DAY = 86_400;

async function pay(card: string, amount = 900): Promise<Stripe.PaymentIntent> {
  const { id: customer, invoice_settings } = await bench.customer(card);
  return bench.stripe.paymentIntents.create({
    amount,
    currency: 'eur',
    customer,
    payment_method: String(invoice_settings.default_payment_method),
    off_session: true,
    confirm: true,
  });
}
const disputeOf = async (intent: Stripe.PaymentIntent) => {
  const { data } = await bench.stripe.disputes.list({ payment_intent: intent.id });
  return data[0] as Stripe.Dispute;
};
const disputedMinor = (intent: Stripe.PaymentIntent) =>
  bench.emulator.ledger().intents.find((line) => line.holdId === intent.id)?.disputedMinor;

describe('a dispute', () => {
  it('comes with the card that disputes each payment, and takes the money back', async () => {
    const intent = await pay('pm_card_createDispute');
    expect(intent.status).toBe('succeeded');
    const dispute = await disputeOf(intent);
    expect(dispute).toMatchObject({ status: 'needs_response', amount: 900, reason: 'fraudulent' });
    expect(disputedMinor(intent)).toBe(900);
    expect(await bench.eventsOf(dispute.id)).toEqual([
      'charge.dispute.created',
      'charge.dispute.funds_withdrawn',
    ]);
    const charge = await bench.stripe.charges.retrieve(String(intent.latest_charge));
    expect(charge.disputed).toBe(true);
  });

  it.each([
    ['winning_evidence', 'won', 0],
    ['losing_evidence', 'lost', 900],
  ])('that is answered with %s is %s', async (words, status, left) => {
    const intent = await pay('pm_card_createDispute');
    const { id } = await disputeOf(intent);
    const answered = await bench.stripe.disputes.update(id, {
      evidence: { uncategorized_text: words },
      submit: true,
    });
    expect(answered.status).toBe(status);
    expect(disputedMinor(intent)).toBe(left);
    expect((await bench.eventsOf(id)).at(-1)).toBe('charge.dispute.closed');
    await expect(bench.stripe.disputes.close(id)).rejects.toMatchObject({ statusCode: 400 });
  });

  it('is lost when it is accepted, or when nobody answers in time', async () => {
    const accepted = await pay('pm_card_createDispute');
    expect((await bench.stripe.disputes.close((await disputeOf(accepted)).id)).status).toBe('lost');
    const ignored = await pay('pm_card_createDisputeProductNotReceived');
    bench.emulator.advance(8 * DAY);
    expect((await disputeOf(ignored)).status).toBe('needs_response');
    bench.emulator.advance(DAY);
    expect(await disputeOf(ignored)).toMatchObject({ status: 'lost', reason: 'product_not_received' });
  });

  it('is opened and decided by the control route, about a part of what is left', async () => {
    const intent = await pay('pm_card_visa');
    await bench.stripe.refunds.create({ payment_intent: intent.id, amount: 300 });
    const control = async (path: string, body: object) => {
      const headers = { 'content-type': 'application/json' };
      const sent = { method: 'POST', headers, body: JSON.stringify(body) };
      const answer = await fetch(`${bench.emulator.url}/_emulator/${path}`, sent);
      return { status: answer.status, body: (await answer.json()) as { id?: string } };
    };
    expect((await control('disputes', { payment: intent.id, amountMinor: 601 })).status).toBe(400);
    expect((await control('disputes', { payment: 'pi_none' })).status).toBe(404);
    const opened = await control('disputes', { payment: intent.id, amountMinor: 500 });
    expect(disputedMinor(intent)).toBe(500);
    expect((await control(`disputes/${opened.body.id}/close`, { outcome: 'maybe' })).status).toBe(400);
    expect((await control(`disputes/${opened.body.id}/close`, { outcome: 'won' })).status).toBe(200);
    expect(disputedMinor(intent)).toBe(0);
  });

  it('keeps the payment from being refunded, unless it is won', async () => {
    const intent = await pay('pm_card_createDispute');
    const refund = () => bench.stripe.refunds.create({ payment_intent: intent.id, amount: 100 });
    await expect(refund()).rejects.toMatchObject({ statusCode: 400, code: 'charge_disputed' });
    bench.emulator.closeDispute((await disputeOf(intent)).id, 'won');
    expect(await refund()).toMatchObject({ status: 'succeeded' });
  });

  it('may be an inquiry first, which takes nothing', async () => {
    const intent = await pay('pm_card_visa');
    const id = bench.emulator.dispute({ payment: intent.id, isInquiry: true });
    expect(await disputeOf(intent)).toMatchObject({
      status: 'warning_needs_response',
      is_charge_refundable: true,
      balance_transactions: [],
    });
    bench.emulator.escalateInquiry(id);
    expect(await disputeOf(intent)).toMatchObject({ status: 'needs_response', is_charge_refundable: false });
    expect(disputedMinor(intent)).toBe(900);
    expect(await bench.eventsOf(id)).toEqual([
      'charge.dispute.created',
      'charge.dispute.updated',
      'charge.dispute.funds_withdrawn',
    ]);
    const other = await pay('pm_card_visa');
    bench.emulator.closeDispute(bench.emulator.dispute({ payment: other.id, isInquiry: true }), 'lost');
    expect(await disputeOf(other)).toMatchObject({ status: 'warning_closed', balance_transactions: [] });
  });
});

describe('what was said on the wire', () => {
  it('keeps to Stripe’s schemas and examples', () => {
    expect(wrongRequests(bench.calls)).toEqual([]);
    const { problems, kinds } = wrongObjects(bench.calls);
    expect(problems).toEqual([]);
    expect(kinds).toEqual(expect.arrayContaining(['balance_transaction', 'dispute']));
  });
});
