import { describe, expect, it } from 'vitest';
import { creditBalanceMinor, ledgerBalance, refundsPayableMinor } from '#libs/billing';
import { newId } from '#libs/kernel';
import { compareWithProvider } from './compare-provider.ts';
import { GOOD, moneyBench } from './harness/money-bench.ts';
import { HOUR_MINOR } from './harness/money-world.ts';
import { refundInvoice } from './refunds.ts';
import { sweepBalance } from './sweep-balance.ts';

/** Charges, and its bank sends refunds back. */
const REFUND_FAILS = '4000000000005126';
const FEE_MINOR = 42; // 1.5 % of 11.00 and 0.25

describe('the balance at the provider', () => {
  const bench = moneyBench();
  const balance = async (account: 'stripe_clearing' | 'payment_fees' | 'paid_out') =>
    Number(await ledgerBalance(bench.manager, account, 'eur'));
  const there = () => bench.payments.emulator.ledger().balanceMinor.eur ?? 0;
  const openFindings = async (kind: string) =>
    bench.dataSource.query<{ subject: string; details: Record<string, unknown> }[]>(
      'SELECT subject, details FROM findings WHERE kind = $1 AND resolved_at IS NULL',
      [kind],
    );
  const giveBack = async (invoiceId: number, amountMinor: number) => {
    const asked = { requestId: `${invoiceId}`, reason: 'Sorry', at: new Date(), refundTo: 'card' } as const;
    await bench.within((m) => refundInvoice(m, bench.world.store, { invoiceId, amountMinor, ...asked }));
    await bench.settle();
  };

  it('books the fee of a payment once, however often and by how many it is swept', async () => {
    const [fees, before] = [await balance('payment_fees'), there()];
    await bench.collected(await bench.customer(GOOD));
    await Promise.all([sweepBalance(bench.world.deps), sweepBalance(bench.world.deps)]);
    expect(await sweepBalance(bench.world.deps, { isFull: true })).toBe(0);
    expect((await balance('payment_fees')) - fees).toBe(FEE_MINOR);
    expect(there() - before).toBe(HOUR_MINOR - FEE_MINOR);
    expect(await balance('stripe_clearing')).toBe(there());
  });

  it('follows money to our bank, and back from there, and tells of it', async () => {
    await bench.collected(await bench.customer(GOOD));
    const { emulator } = bench.payments;
    emulator.advance(3 * 86_400);
    const bank = await balance('paid_out');
    const available = there();
    const [payout = ''] = emulator.payOut();
    await sweepBalance(bench.world.deps);
    expect((await balance('paid_out')) - bank).toBe(available);
    expect(await balance('stripe_clearing')).toBe(there());
    emulator.failPayout(payout);
    await bench.settle();
    await sweepBalance(bench.world.deps);
    expect(await balance('paid_out')).toBe(bank);
    expect(await openFindings('payout_failed')).toMatchObject([{ details: { payoutId: payout } }]);
    emulator.payOut();
    emulator.advance(3 * 86_400);
    await bench.settle();
    expect(await openFindings('payout_failed')).toEqual([]);
  });

  it('goes on where a sweep was cut short', async () => {
    for (let index = 0; index < 3; index += 1) await bench.collected(await bench.customer(GOOD));
    await sweepBalance(bench.world.deps);
    const { deps } = bench.world;
    const pages: (string | undefined)[] = [];
    let isCut = true;
    const balance: typeof deps.provider.balance = {
      fetch: () => deps.provider.balance.fetch(),
      fetchPayout: (id) => deps.provider.balance.fetchPayout(id),
      movements: async ({ since, after }) => {
        pages.push(after);
        if (isCut && pages.length === 3) throw new Error('cut');
        const { movements, hasMore } = await deps.provider.balance.movements({ since, after });
        return { movements: movements.slice(0, 1), hasMore: hasMore || movements.length > 1 };
      },
    };
    const provider = new Proxy(deps.provider, {
      get: (target, name) => (name === 'balance' ? balance : Reflect.get(target, name, target)),
    });
    await expect(sweepBalance({ ...deps, provider }, { isFull: true })).rejects.toThrow('cut');
    isCut = false;
    expect(await sweepBalance({ ...deps, provider })).toBe(0);
    expect(new Set(pages.slice(3)).size).toBe(pages.length - 3);
    expect(pages[3]).toBe(pages[2]);
  });

  it('finds money that moved and is nobody of ours, by its name', async () => {
    const { provider } = bench.world.deps;
    const customer = await bench.world.deps.cards.customerOf(await bench.customer(GOOD));
    const cards = await provider.listCards(customer ?? '');
    const response = await fetch(`${bench.world.emulatorUrl}/v1/payment_intents`, {
      method: 'POST',
      headers: { authorization: 'Bearer sk_test_harness' },
      body: new URLSearchParams({
        amount: '777',
        currency: 'eur',
        customer: customer ?? '',
        payment_method: cards[0]?.cardId ?? '',
        confirm: 'true',
        off_session: 'true',
      }),
    });
    const { id } = (await response.json()) as { id: string };
    const found = await compareWithProvider(bench.world.deps);
    expect(found).toMatchObject([
      {
        subject: 'eur',
        differsBy: '-777',
        details: { unexplained: [{ kind: 'payment', id, bookedMinor: 0, movedMinor: 777 }] },
      },
    ]);
    await provider.money.refund({
      paymentId: id,
      amountMinor: 777,
      reference: 'none',
      reason: 'duplicate',
      ...bench.key(),
    });
    expect(await compareWithProvider(bench.world.deps)).toEqual([]);
    expect(await balance('stripe_clearing')).toBe(there());
  });

  for (const isLost of [false, true]) {
    it(`gives as credit what an order that came to nothing could not give back${isLost ? ', though no event told of it' : ''}`, async () => {
      const accountId = await bench.customer(REFUND_FAILS);
      const order = {
        orderId: newId(),
        accountId,
        amountMinor: 900,
        currency: 'eur',
        description: 'A server',
      } as const;
      const { payments, emulator } = bench.payments;
      expect(await payments.hold(order)).toEqual({ status: 'authorized' });
      await payments.capture(order.orderId);
      await payments.release(order.orderId);
      await bench.settle();
      expect(await creditBalanceMinor(bench.manager, accountId, 'eur')).toBe(0);
      const webhooks = [{ match: '*', effect: 'lose', probability: 1 } as const];
      if (isLost) emulator.addFaults({ seed: 1, webhooks });
      emulator.advance(700);
      if (isLost) await sweepBalance(bench.world.deps);
      else await bench.settle();
      emulator.clearFaults();
      expect(await creditBalanceMinor(bench.manager, accountId, 'eur')).toBe(900);
      await bench.settle();
      await payments.release(order.orderId);
      await bench.settle();
      expect(await compareWithProvider(bench.world.deps)).toEqual([]);
      expect(await creditBalanceMinor(bench.manager, accountId, 'eur')).toBe(900);
      const told = expect.objectContaining({ accountId, amountMinor: 900, creditMinor: 900 });
      expect(await openFindings('refund_failed')).toContainEqual(expect.objectContaining({ details: told }));
    });

    it(`gives as credit what a card did not take back${isLost ? ', though no event told of it' : ''}`, async () => {
      const accountId = await bench.customer(REFUND_FAILS);
      const invoiceId = await bench.collected(accountId);
      await giveBack(invoiceId, 400);
      expect(await creditBalanceMinor(bench.manager, accountId, 'eur')).toBe(0);
      const webhooks = [{ match: '*', effect: 'lose', probability: 1 } as const];
      if (isLost) bench.payments.emulator.addFaults({ seed: 1, webhooks });
      bench.payments.emulator.advance(700);
      if (isLost) await sweepBalance(bench.world.deps);
      else await bench.settle();
      bench.payments.emulator.clearFaults();
      expect(await creditBalanceMinor(bench.manager, accountId, 'eur')).toBe(400);
      expect(await refundsPayableMinor(bench.manager, accountId, 'eur')).toBe(0);
      const findings = await openFindings('refund_failed');
      expect(findings).toContainEqual(
        expect.objectContaining({
          details: expect.objectContaining({ accountId, amountMinor: 400, creditMinor: 400 }),
        }),
      );
      await bench.settle();
      expect(await compareWithProvider(bench.world.deps)).toEqual([]);
      expect(await creditBalanceMinor(bench.manager, accountId, 'eur')).toBe(400);
    });
  }
});
