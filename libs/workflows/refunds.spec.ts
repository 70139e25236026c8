import { describe, expect, it } from 'vitest';
import {
  creditBalanceMinor,
  creditLots,
  creditPayment,
  expireCredit,
  grantCredit,
  ledgerBalance,
  takeBackPayment,
} from '#libs/billing';
import { newId } from '#libs/kernel';
import { runToEnd } from '#libs/saga/harness';
import { compareWithProvider } from './compare-provider.ts';
import { providerInvoicesOf } from './harness/assert-money.ts';
import { DECLINED_LATER, GOOD, moneyBench } from './harness/money-bench.ts';
import { addCard, HOUR_MINOR } from './harness/money-world.ts';
import { refundInvoice } from './refunds.ts';

const bench = moneyBench();
const { settle, customer, collected, openOf, newest } = bench;

const refund = (
  invoiceId: number,
  amountMinor: number,
  more: { requestId?: string; refundTo?: 'credit' } = {},
) =>
  bench.within((manager) =>
    refundInvoice(manager, bench.world.store, {
      invoiceId,
      amountMinor,
      requestId: more.requestId ?? `request ${newId()}`,
      refundTo: more.refundTo ?? 'card',
      reason: 'Sorry',
      at: new Date(),
    }),
  );
const refundedOf = async (invoiceId: number) => {
  const { paymentId } = await newest(invoiceId);
  return (await bench.payments.provider.money.fetchPayment(String(paymentId))).refundedMinor;
};
const payableOf = async (accountId: number) =>
  Number(-(await ledgerBalance(bench.manager, 'refunds_payable', 'eur', { customerId: accountId })));
const creditOf = (accountId: number) => creditBalanceMinor(bench.manager, accountId, 'eur');

describe('a refund', () => {
  it('goes to the card in parts, each once, though it is asked for twice', async () => {
    const accountId = await customer(GOOD);
    const invoiceId = await collected(accountId);
    const first = await refund(invoiceId, 300, { requestId: 'first' });
    expect(await refund(invoiceId, 300, { requestId: 'first' })).toEqual(first);
    await refund(invoiceId, 800);
    await settle();
    expect([await refundedOf(invoiceId), await payableOf(accountId)]).toEqual([HOUR_MINOR, 0]);
    await expect(refund(invoiceId, 1)).rejects.toMatchObject({ code: 'refund_exceeds_invoice' });
  });

  it('becomes credit where that is asked for, and where credit had paid', async () => {
    const accountId = await customer(GOOD);
    await bench.within((m) => {
      const cause = { kind: 'grant', id: String(accountId) };
      const given = { accountId, currency: 'eur', amountMinor: 400, cause, at: new Date('2026-04-01') };
      return grantCredit(m, { ...given, source: 'grant' });
    });
    const invoiceId = await collected(accountId);
    await refund(invoiceId, 100, { refundTo: 'credit' });
    expect(await creditOf(accountId)).toBe(100);
    await refund(invoiceId, 1000);
    await settle();
    expect([await refundedOf(invoiceId), await creditOf(accountId), await payableOf(accountId)]).toEqual([
      700, 400, 0,
    ]);
  });

  it('of what was given away gives that back, with the day on which it ends, and takes no gift for money', async () => {
    const accountId = await customer(GOOD);
    const now = bench.world.deps.clock.now().getTime();
    const DAY = 86_400_000;
    const days = (count: number) => new Date(now + count * DAY);
    const grant = (id: string, amountMinor: number, expiresAt: Date) =>
      bench.within((m) => {
        const cause = { kind: 'grant', id: `${accountId}/${id}` };
        const given = { accountId, currency: 'eur', amountMinor, cause, at: days(-9), expiresAt };
        return grantCredit(m, { ...given, source: 'promotion' });
      });
    await grant('long', 200, days(40));
    await grant('short', 300, days(2));
    const invoiceId = await collected(accountId);
    const lots = async () =>
      (await creditLots(bench.manager, accountId, { limit: 9 }))
        .filter(({ remainingMinor }) => remainingMinor > 0)
        .map((lot) => [lot.source, lot.remainingMinor, Math.round((Number(lot.expiresAt) - now) / DAY)])
        .sort((a, b) => Number(a[1]) - Number(b[1]));
    await refund(invoiceId, 50, { refundTo: 'credit' });
    expect(await lots()).toEqual([['promotion', 50, 40]]);
    bench.payments.emulator.advance(3 * 86_400);
    await refund(invoiceId, HOUR_MINOR - 50);
    await settle();
    expect(await refundedOf(invoiceId)).toBe(HOUR_MINOR - 500);
    expect(await lots()).toEqual([
      ['promotion', 50, 40],
      ['promotion', 150, 40],
      ['promotion', 300, 33],
    ]);
    await expireCredit(bench.dataSource, days(60));
    expect(await creditOf(accountId)).toBe(0);
  });

  it('of what is not paid yet makes the provider ask for less', async () => {
    const accountId = await customer(DECLINED_LATER);
    const invoiceId = await collected(accountId);
    await refund(invoiceId, 400);
    await settle();
    expect(await openOf(invoiceId)).toBe(700);
    expect(await providerInvoicesOf(bench.world, accountId)).toEqual(['open 700', `void ${HOUR_MINOR}`]);
  });

  it('made by hand at the provider is explained by the credit note that follows, and not sent again', async () => {
    const accountId = await customer(GOOD);
    const invoiceId = await collected(accountId);
    const { paymentId } = await newest(invoiceId);
    const byHand = { paymentId: String(paymentId), amountMinor: 400, reference: 'by hand' };
    await bench.payments.provider.money.refund({ ...byHand, reason: 'duplicate', ...bench.key() });
    await settle();
    expect(await payableOf(accountId)).toBe(-400);
    await refund(invoiceId, 500);
    await settle();
    expect([await refundedOf(invoiceId), await payableOf(accountId)]).toEqual([500, 0]);
    const { items } = await bench.world.deps.findings.list();
    expect(items.filter(({ subject }) => subject === `account ${accountId}`)).toEqual([]);
  });

  it('that the provider refuses stays owed, and the operator is told', async () => {
    const accountId = await customer(GOOD);
    const invoiceId = await collected(accountId);
    const { paymentId } = await newest(invoiceId);
    const byHand = { paymentId: String(paymentId), amountMinor: HOUR_MINOR, reference: 'by hand' };
    bench.payments.emulator.addFaults({ webhooks: [{ effect: 'lose', times: 100 }] });
    await refund(invoiceId, 500);
    await bench.payments.provider.money.refund({ ...byHand, reason: 'duplicate', ...bench.key() });
    await bench.runSagas();
    expect([await refundedOf(invoiceId), await payableOf(accountId)]).toEqual([HOUR_MINOR, -600]);
    const { items } = await bench.world.deps.findings.list();
    expect(items.map(({ kind }) => kind)).toContain('refund_failed');
  });
});

describe('a refund of a payment that a bank holds back', () => {
  const refundHeld = async () => {
    const accountId = await customer(GOOD);
    const invoiceId = await collected(accountId);
    const { paymentId } = await newest(invoiceId);
    const dispute = bench.payments.emulator.dispute({ payment: String(paymentId) });
    await settle();
    await refund(invoiceId, 500);
    await settle();
    expect([await refundedOf(invoiceId), await payableOf(accountId)]).toEqual([0, 500]);
    expect(await failedOf(String(paymentId))).toHaveLength(1);
    return { accountId, invoiceId, dispute, paymentId: String(paymentId) };
  };
  const failedOf = async (paymentId: string) =>
    (await bench.world.deps.findings.list()).items.filter(({ subject }) => subject.endsWith(paymentId));

  it('is sent when the dispute is won', async () => {
    const { accountId, invoiceId, dispute, paymentId } = await refundHeld();
    bench.payments.emulator.closeDispute(dispute, 'won');
    await settle();
    expect([await refundedOf(invoiceId), await payableOf(accountId), await openOf(invoiceId)]).toEqual([
      500, 0, 0,
    ]);
    expect(await failedOf(paymentId)).toEqual([]);
  });

  it('has been made by the bank when the dispute is lost: that much is not owed again', async () => {
    const { accountId, invoiceId, dispute, paymentId } = await refundHeld();
    bench.payments.emulator.closeDispute(dispute, 'lost');
    await settle();
    expect([await refundedOf(invoiceId), await payableOf(accountId), await openOf(invoiceId)]).toEqual([
      0, 0, 600,
    ]);
    expect(await failedOf(paymentId)).toEqual([]);
    expect(await compareWithProvider(bench.world.deps)).toEqual([]);
  });
});

describe('the comparison with the provider', () => {
  it('finds nothing where all is well, and mends what no event has told', async () => {
    const accountId = await customer(DECLINED_LATER);
    const invoiceId = await collected(accountId);
    await settle();
    expect(await compareWithProvider(bench.world.deps)).toEqual([]);
    bench.payments.emulator.addFaults({ webhooks: [{ effect: 'lose', times: 100 }] });
    const { providerId } = await newest(invoiceId);
    const cardId = await goodCardOf(accountId);
    const { paymentId } = await bench.payments.provider.invoices.pay({
      invoiceId: providerId,
      cardId,
      ...bench.key(),
    });
    const dispute = bench.payments.emulator.dispute({ payment: String(paymentId), amountMinor: 300 });
    expect(await openOf(invoiceId)).toBe(HOUR_MINOR);
    expect(await compareWithProvider(bench.world.deps)).toEqual([]);
    expect(await openOf(invoiceId)).toBe(0);
    bench.payments.emulator.closeDispute(dispute, 'lost');
    expect(await compareWithProvider(bench.world.deps)).toEqual([]);
    expect(await openOf(invoiceId)).toBe(300);
  });

  it('tells what it cannot mend: money that nobody asked for, and money that is not there', async () => {
    const accountId = await customer(GOOD);
    const { customerId, cardId } = await bench.world.deps.cards.chargeable(accountId);
    const { money } = bench.payments.provider;
    const asked = { accountId, customerId, cardId, amountMinor: 900, currency: 'eur' as const };
    const named = { description: 'Unknown', reference: `unknown ${newId()}` };
    const { paymentId } = await money.openPayment({ ...asked, ...named, ...bench.key() });
    await money.confirmPayment({ paymentId, ...bench.key() });
    await bench.within(async (m) => {
      const cause = { kind: 'top_up', id: 'pi_invented' };
      await creditPayment(m, {
        accountId,
        currency: 'eur',
        amountMinor: 70,
        cause,
        at: bench.world.deps.clock.now(),
      });
    });
    const rule = 'a payment is in the books as the provider has it';
    expect(await compareWithProvider(bench.world.deps)).toEqual([
      { rule, subject: `payment ${paymentId}`, differsBy: '-900' },
      { rule, subject: 'payment pi_invented', differsBy: '70' },
      expect.objectContaining({ subject: 'eur', differsBy: '-830' }),
    ]);
    // Leaves the world in order for what checks it after each test.
    await money.refund({
      paymentId,
      amountMinor: 900,
      reason: 'duplicate',
      reference: 'back',
      ...bench.key(),
    });
    await bench.within(async (m) => {
      const cause = { kind: 'payment_refund', id: 'pi_invented/1' };
      await takeBackPayment(m, { accountId, currency: 'eur', amountMinor: 70, cause, at: new Date() });
    });
  });
});

async function goodCardOf(accountId: number): Promise<string> {
  await addCard(bench.world, accountId, GOOD);
  return (await bench.world.deps.cards.chargeable(accountId)).cardId;
}

describe('two credit notes of one account', () => {
  const sagaOf = async ({ id }: { readonly id: number }) => {
    const [saga] = await bench.dataSource.query<{ id: number }[]>(
      `SELECT id FROM sagas WHERE subject_type = 'credit_note' AND subject_id = $1`,
      [id],
    );
    return saga?.id ?? 0;
  };

  it('are both sent, though the provider tells of the first refund before its saga has noted it', async () => {
    const accountId = await customer(GOOD);
    const one = await collected(accountId);
    const two = await collected(accountId);
    await settle();
    const first = await refund(one, 500);
    // The provider's event comes before the first saga has written down what it did.
    const { money } = bench.payments.provider;
    const send = money.refund.bind(money);
    let isCut = false;
    money.refund = async (call) => {
      const answer = await send(call);
      if (isCut) return answer;
      isCut = true;
      await bench.payments.emulator.idle();
      await bench.payments.events.repair({ isFull: true });
      const second = await refund(two, 500);
      await runToEnd(bench.world, 'send-refund', await sagaOf(second), []);
      return answer;
    };
    try {
      await runToEnd(bench.world, 'send-refund', await sagaOf(first), []);
    } finally {
      money.refund = send;
    }
    await settle();
    expect([await refundedOf(one), await refundedOf(two), await payableOf(accountId)]).toEqual([500, 500, 0]);
  });
});
