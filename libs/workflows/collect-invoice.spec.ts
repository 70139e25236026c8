import { describe, expect, it } from 'vitest';
import {
  arrearsOf,
  collectionsOf,
  creditBalanceMinor,
  grantCredit,
  invoice,
  ledgerBalance,
  setPaying,
} from '#libs/billing';
import { createDataSource } from '#libs/database';
import { newId } from '#libs/kernel';
import { connectPayments } from '#libs/payments/harness';
import { runToEnd } from '#libs/saga/harness';
import { collectDue, collectOpenInvoices } from './collect-invoices.ts';
import { compareWithProvider } from './compare-provider.ts';
import { providerInvoicesOf, providerPaymentsOf } from './harness/assert-money.ts';
import { DECLINED_LATER, GOOD, moneyBench } from './harness/money-bench.ts';
import { addCard, HOUR_MINOR, issueInvoice } from './harness/money-world.ts';
import { listenerOf } from './harness/server-world.ts';

const bench = moneyBench();
const { settle, key, customer, collected, openOf, entriesOf, newest } = bench;

const grant = (accountId: number, amountMinor: number) =>
  bench.within((m) => {
    const cause = { kind: 'grant', id: String(accountId) };
    const given = { accountId, currency: 'eur', amountMinor, cause, at: new Date('2026-04-01') };
    return grantCredit(m, { ...given, source: 'grant' });
  });

/** Stores an event that no webhook has brought. */
const tell = (type: string, kind: string, id: string) =>
  bench.dataSource.query(
    `INSERT INTO stripe_events (id, type, subject_kind, subject_id, occurred_at) VALUES ($1, $2, $3, $4, now())`,
    [`evt_${newId()}`, type, kind, id],
  );

describe('an invoice that is issued', () => {
  it('is paid by credit first, and the card pays the rest; the account is trusted from then on', async () => {
    const accountId = await customer(GOOD);
    await grant(accountId, 300);
    const invoiceId = await collected(accountId);
    expect(await entriesOf(invoiceId)).toEqual([
      { kind: 'credit', amount: 300 },
      { kind: 'payment', amount: 800 },
    ]);
    expect(await providerInvoicesOf(bench.world, accountId)).toEqual(['paid 800']);
    const [account] = await bench.manager.query(
      'SELECT trusted, tier FROM accounts JOIN billing_accounts ON account_id = id WHERE id = $1',
      [accountId],
    );
    expect(account).toEqual({ trusted: true, tier: 'paid_once' });
  });

  it('of nothing, or paid by credit alone, needs no provider', async () => {
    const accountId = await customer();
    await grant(accountId, 5000);
    const invoiceId = await collected(accountId);
    expect(await openOf(invoiceId)).toBe(0);
    expect(await collectionsOf(bench.manager, invoiceId)).toEqual([]);
    expect(await bench.world.deps.cards.customerOf(accountId)).toBeUndefined();
  });

  it('too small to be charged waits for the next one, and each is told on its own line', async () => {
    const accountId = await customer(GOOD);
    const small = await collected(accountId, 98);
    expect([await openOf(small), await collectionsOf(bench.manager, small)]).toEqual([30, []]);
    expect(await arrearsOf(bench.manager, accountId)).toBeUndefined();
    const next = await collected(accountId);
    expect([await openOf(small), await openOf(next)]).toEqual([0, 0]);
    const { providerId } = await newest(next);
    const lines = await bench.payments.provider.invoices.listLines(providerId);
    expect(lines.map(({ amountMinor }) => amountMinor).sort()).toEqual([HOUR_MINOR, 30]);
  });

  it('with terms is sent; when they have run out it is unpaid, and a payment ends that', async () => {
    const accountId = await customer();
    const first = await collected(accountId);
    await bench.within((m) => setPaying(m, accountId, { by: 'terms', days: 14 }));
    const invoiceId = await collected(accountId);
    const { issuedAt, dueAt } = await invoice(bench.manager, invoiceId);
    expect(dueAt.getTime() - issuedAt.getTime()).toBe(14 * 86_400_000);
    const asked = await newest(invoiceId);
    expect(asked).toMatchObject({ status: 'open', termsDays: 14, declineCode: null });
    expect(asked.pageUrl).toContain('/i/');
    const arrears = async () =>
      bench.dataSource.query<{ id: number }[]>(
        'SELECT invoice_id AS id FROM arrears_invoices n JOIN arrears a ON a.id = n.arrears_id WHERE account_id = $1',
        [accountId],
      );
    expect(await arrears()).toEqual([{ id: first }]);
    await collectDue(bench.dataSource, bench.world.store, new Date(Number(asked.dueAt) + 1000));
    expect(await arrears()).toHaveLength(2);
    for (const id of [first, invoiceId]) {
      await bench.payments.provider.invoices.settleElsewhere({
        invoiceId: (await newest(id)).providerId,
        ...key(),
      });
    }
    await settle();
    expect([await openOf(first), await openOf(invoiceId)]).toEqual([0, 0]);
    expect(await arrearsOf(bench.manager, accountId)).toBeUndefined();
    expect(Number(await ledgerBalance(bench.manager, 'bank', 'eur'))).toBe(2 * HOUR_MINOR);
  });

  it('that is declined is unpaid until another card pays it, which is tried at once', async () => {
    const accountId = await customer(DECLINED_LATER);
    const invoiceId = await collected(accountId);
    expect(await newest(invoiceId)).toMatchObject({ status: 'open', declineCode: 'card_declined' });
    expect(await arrearsOf(bench.manager, accountId)).toMatchObject({ isHard: false });
    await addCard(bench.world, accountId, GOOD);
    await settle();
    expect(await openOf(invoiceId)).toBe(0);
    expect(await arrearsOf(bench.manager, accountId)).toBeUndefined();
    expect(await providerInvoicesOf(bench.world, accountId)).toEqual([`paid ${HOUR_MINOR}`]);
  });

  it('of a customer without a card is unpaid until they have one', async () => {
    const accountId = await customer();
    const invoiceId = await collected(accountId);
    expect(await newest(invoiceId)).toMatchObject({ status: 'open', declineCode: 'no_card' });
    expect(await arrearsOf(bench.manager, accountId)).toMatchObject({ isHard: true });
    await addCard(bench.world, accountId, GOOD);
    await settle();
    expect(await openOf(invoiceId)).toBe(0);
  });

  it('whose collecting came to nothing is asked for later, and only once', async () => {
    const accountId = await customer(GOOD);
    const { invoiceId, sagaId } = await issueInvoice(bench.world, accountId);
    const fault = { match: 'POST /v1/invoices', effect: 'error_500' as const, times: 20 };
    bench.payments.emulator.addFaults({ api: [fault] });
    expect(await runToEnd(bench.world, 'collect-invoice', sagaId, [])).toMatchObject({ state: 'undone' });
    bench.payments.emulator.clearFaults();
    expect(await collectDue(bench.dataSource, bench.world.store, new Date())).toBe(0);
    await bench.dataSource.query(`UPDATE sagas SET finished_at = now() - interval '2 hours' WHERE id = $1`, [
      sagaId,
    ]);
    expect(await collectDue(bench.dataSource, bench.world.store, new Date())).toBe(1);
    expect(await collectDue(bench.dataSource, bench.world.store, new Date())).toBe(0);
    await settle();
    expect(await providerInvoicesOf(bench.world, accountId)).toEqual([`paid ${HOUR_MINOR}`]);
    expect(await openOf(invoiceId)).toBe(0);
  });
});

describe('collecting that is taken back', () => {
  it('is not taken for an invoice that the operator has given up', async () => {
    const accountId = await customer(GOOD);
    const { invoiceId, sagaId } = await issueInvoice(bench.world, accountId);
    const faults = [
      { step: 'finalize', direction: 'do', moment: 'after', kind: 'permanent' },
      { step: 'draft', direction: 'undo', moment: 'after', kind: 'transient' },
    ] as const;
    let isOver = false;
    const running = runToEnd(bench.world, 'collect-invoice', sagaId, faults).finally(() => {
      isOver = true;
    });
    while (!isOver) await bench.payments.events.processDue();
    expect(await running).toMatchObject({ state: 'undone' });
    await settle();
    expect(await providerInvoicesOf(bench.world, accountId)).toEqual([`void ${HOUR_MINOR}`]);
    expect(await entriesOf(invoiceId)).toEqual([]);
  });
});

describe('a payment is in the books once', () => {
  it('when invoice.paid comes ten times', async () => {
    const accountId = await customer(GOOD);
    bench.payments.emulator.addFaults({
      webhooks: [{ match: 'invoice.paid', effect: 'duplicate', times: 1 }],
    });
    const invoiceId = await collected(accountId);
    const { providerId } = await newest(invoiceId);
    for (let times = 0; times < 10; times += 1) await tell('invoice.paid', 'invoice', providerId);
    await Promise.all([1, 2, 3, 4].map(() => bench.payments.events.processDue()));
    expect(await entriesOf(invoiceId)).toEqual([{ kind: 'payment', amount: HOUR_MINOR }]);
  });

  it('when two webhooks about one invoice come at once on two connections', async () => {
    const accountId = await customer(DECLINED_LATER);
    const invoiceId = await collected(accountId);
    const { providerId, paymentId } = await newest(invoiceId);
    await settle();
    bench.payments.emulator.addFaults({ webhooks: [{ effect: 'lose', times: 100 }] });
    await addCard(bench.world, accountId, GOOD);
    await bench.payments.provider.invoices.pay({ invoiceId: providerId, ...key() });
    expect(await openOf(invoiceId)).toBe(HOUR_MINOR);
    await tell('invoice.paid', 'invoice', providerId);
    await tell('payment_intent.succeeded', 'payment', String(paymentId));
    const other = await createDataSource(bench.url).initialize();
    const listener = listenerOf(other, () => bench.payments.provider);
    const { events } = connectPayments(
      other,
      { host: '127.0.0.1', port: bench.payments.emulator.port },
      listener,
    );
    // Both look at the payment before either may write.
    bench.payments.emulator.addFaults({
      api: [{ match: 'GET /v1/payment_intents/:id', effect: 'late_answer', times: 2, milliseconds: 50 }],
    });
    const tried = await Promise.all([bench.payments.events.processDue(1), events.processDue(1)]);
    await other.destroy();
    expect(tried).toEqual([1, 1]);
    expect(await entriesOf(invoiceId)).toEqual([{ kind: 'payment', amount: HOUR_MINOR }]);
  });

  it('when the charge was not answered, the worker died, and only the sweep knows', async () => {
    const accountId = await customer(GOOD);
    const { invoiceId, sagaId } = await issueInvoice(bench.world, accountId);
    bench.payments.emulator.addFaults({
      api: [{ match: 'POST /v1/invoices/:id/pay', effect: 'timeout_after', times: 1 }],
      webhooks: [{ effect: 'lose', times: 100 }],
    });
    const running = runToEnd(bench.world, 'collect-invoice', sagaId, []);
    while ((await providerInvoicesOf(bench.world, accountId))[0] !== `paid ${HOUR_MINOR}`);
    // The saga's own try goes on; meanwhile the sweep finds what happened.
    await bench.payments.events.repair();
    expect(await entriesOf(invoiceId)).toEqual([{ kind: 'payment', amount: HOUR_MINOR }]);
    expect(await running).toMatchObject({ state: 'done' });
    expect(await entriesOf(invoiceId)).toEqual([{ kind: 'payment', amount: HOUR_MINOR }]);
    expect(await providerInvoicesOf(bench.world, accountId)).toEqual([`paid ${HOUR_MINOR}`]);
  });
});

describe('what the operator does at the provider', () => {
  it('voiding gives up what is open', async () => {
    const invoiceId = await collected(await customer(DECLINED_LATER));
    await bench.payments.provider.invoices.void({
      invoiceId: (await newest(invoiceId)).providerId,
      ...key(),
    });
    await settle();
    expect(await entriesOf(invoiceId)).toEqual([{ kind: 'write_off', amount: HOUR_MINOR }]);
  });

  it('what is uncollectible is given up, and taken back when it is paid after all', async () => {
    const accountId = await customer(DECLINED_LATER);
    const invoiceId = await collected(accountId);
    const { providerId } = await newest(invoiceId);
    await bench.payments.provider.invoices.writeOff({ invoiceId: providerId, ...key() });
    await settle();
    expect(await entriesOf(invoiceId)).toEqual([{ kind: 'write_off', amount: HOUR_MINOR }]);
    expect(await arrearsOf(bench.manager, accountId)).toBeUndefined();
    await addCard(bench.world, accountId, GOOD);
    await bench.payments.provider.invoices.pay({ invoiceId: providerId, ...key() });
    await settle();
    expect((await entriesOf(invoiceId)).map(({ amount }) => amount).sort()).toEqual([-1100, 1100, 1100]);
    expect([await openOf(invoiceId), await creditBalanceMinor(bench.manager, accountId, 'eur')]).toEqual([
      0, 0,
    ]);
  });

  it('a refund that no credit note explains is told to the operator', async () => {
    const accountId = await customer(GOOD);
    const invoiceId = await collected(accountId);
    const { paymentId } = await newest(invoiceId);
    const refund = { paymentId: String(paymentId), amountMinor: 400, reference: 'by hand' };
    await bench.payments.provider.money.refund({ ...refund, reason: 'requested_by_customer', ...key() });
    await settle();
    const payable = await ledgerBalance(bench.manager, 'refunds_payable', 'eur', { customerId: accountId });
    expect(Number(payable)).toBe(400);
    expect((await bench.world.deps.findings.list()).items).toMatchObject([
      { kind: 'refund_unexplained', subject: `account ${accountId}`, details: { amountMinor: 400 } },
    ]);
  });
});

describe('a balance that the operator gives at the provider', () => {
  it.each([400, 5000])(
    'of %i pays as far as it reaches, and the card is asked for the rest once',
    async (given) => {
      const accountId = await customer(GOOD);
      const { customerId } = await bench.world.deps.cards.chargeable(accountId);
      const change = {
        accountId,
        customerId,
        currency: 'eur',
        reference: 'sorry',
        description: 'Sorry',
      } as const;
      await bench.payments.provider.money.changeBalance({ ...change, amountMinor: -given, ...key() });
      const invoiceId = await collected(accountId);
      await settle();
      expect(await openOf(invoiceId)).toBe(0);
      const { intents } = bench.payments.emulator.ledger();
      const charged = intents.filter((intent) => intent.customerId === customerId);
      const sum = charged.reduce((minor, { capturedMinor }) => minor + capturedMinor, 0);
      expect(sum).toBe(Math.max(0, HOUR_MINOR - given));
      expect(await creditBalanceMinor(bench.manager, accountId, 'eur')).toBe(0);
      expect(await compareWithProvider(bench.world.deps)).toEqual([]);
    },
  );
});

describe('a dispute', () => {
  const disputed = async (outcome: 'won' | 'lost') => {
    const accountId = await customer(GOOD);
    const invoiceId = await collected(accountId);
    const { paymentId } = await newest(invoiceId);
    const id = bench.payments.emulator.dispute({ payment: String(paymentId) });
    await settle();
    const frozen = await ledgerBalance(bench.manager, 'disputed', 'eur', { customerId: accountId });
    expect([Number(frozen), await openOf(invoiceId)]).toEqual([HOUR_MINOR, 0]);
    expect((await bench.world.deps.findings.list()).items).toContainEqual(
      expect.objectContaining({ kind: 'payment_disputed', subject: `dispute ${id}` }),
    );
    bench.payments.emulator.closeDispute(id, outcome);
    await settle();
    const left = await ledgerBalance(bench.manager, 'disputed', 'eur', { customerId: accountId });
    expect(Number(left)).toBe(0);
    const { items } = await bench.world.deps.findings.list();
    expect(items.filter(({ kind }) => kind === 'payment_disputed')).toEqual([]);
    return { accountId, invoiceId };
  };

  it('that is won leaves the invoice paid', async () => {
    const { invoiceId, accountId } = await disputed('won');
    expect(await openOf(invoiceId)).toBe(0);
    expect(await arrearsOf(bench.manager, accountId)).toBeUndefined();
  });

  it('that is lost opens it again, and the card is left alone', async () => {
    const { invoiceId, accountId } = await disputed('lost');
    expect(await openOf(invoiceId)).toBe(HOUR_MINOR);
    expect(await arrearsOf(bench.manager, accountId)).toMatchObject({ isHard: true });
    expect(
      await bench.manager.query('SELECT tier FROM billing_accounts WHERE account_id = $1', [accountId]),
    ).toEqual([{ tier: 'new' }]);
    await collectDue(bench.dataSource, bench.world.store, new Date());
    await settle();
    expect(await openOf(invoiceId)).toBe(HOUR_MINOR);
    expect(await providerPaymentsOf(bench.world, accountId)).toEqual([
      'succeeded',
      'requires_payment_method',
    ]);
  });

  it('that is lost can be made good by its customer, on a page or with credit, and ends the arrears', async () => {
    for (const pays of ['page', 'credit']) {
      const { invoiceId, accountId } = await disputed('lost');
      const { providerId, status, pageUrl } = await newest(invoiceId);
      expect([status, pageUrl]).toEqual(['open', expect.stringContaining(providerId)]);
      if (pays === 'page') {
        await bench.payments.provider.invoices.pay({ invoiceId: providerId, ...key() });
      } else {
        await grant(accountId, HOUR_MINOR);
        await bench.within((m) => collectOpenInvoices(m, bench.world.store, accountId));
      }
      await settle();
      expect([await openOf(invoiceId), await arrearsOf(bench.manager, accountId)]).toEqual([0, undefined]);
    }
  });

  it.each(['nothing', 'a dispute'] as const)(
    'that is an inquiry takes nothing, and may become %s',
    async (becomes) => {
      const accountId = await customer(GOOD);
      const invoiceId = await collected(accountId);
      const { paymentId } = await newest(invoiceId);
      const frozen = async () =>
        Number(await ledgerBalance(bench.manager, 'disputed', 'eur', { customerId: accountId }));
      const told = async () =>
        (await bench.world.deps.findings.list()).items.filter(({ subject }) => subject === `dispute ${id}`);
      const id = bench.payments.emulator.dispute({ payment: String(paymentId), isInquiry: true });
      await settle();
      expect([await frozen(), (await told()).map(({ details }) => details)]).toEqual([
        0,
        [expect.objectContaining({ isInquiry: true })],
      ]);
      expect(await compareWithProvider(bench.world.deps)).toEqual([]);
      if (becomes === 'a dispute') {
        bench.payments.emulator.escalateInquiry(id);
        await settle();
        expect(await frozen()).toBe(HOUR_MINOR);
      }
      bench.payments.emulator.closeDispute(id, 'won');
      await settle();
      expect([await frozen(), await openOf(invoiceId), await told()]).toEqual([0, 0, []]);
      expect(await compareWithProvider(bench.world.deps)).toEqual([]);
    },
  );
});
