import fc from 'fast-check';
import { expect, it } from 'vitest';
import { creditBalanceMinor, invoices, LEAST_CHARGE_MINOR } from '#libs/billing';
import { newId } from '#libs/kernel';
import { PaymentError } from '#libs/payments';
import { submit } from '#libs/payments/harness';
import { type Fault, runToEnd } from '#libs/saga/harness';
import { collectInvoice } from './collect-invoice.saga.ts';
import { collectDue } from './collect-invoices.ts';
import { compareWithProvider } from './compare-provider.ts';
import { assertBooksAreTheProviders } from './harness/assert-money.ts';
import { DECLINED_LATER, GOOD, moneyBench } from './harness/money-bench.ts';
import { addCard, issueInvoice } from './harness/money-world.ts';
import { refundInvoice } from './refunds.ts';
import { sweepBalance } from './sweep-balance.ts';

const bench = moneyBench();

/** Who acts, and what chance has given for the act: from 0 to below 1. */
interface Turn {
  readonly accountId: number;
  readonly chance: number;
  readonly faults: readonly Fault[];
}

const pick = <T>(list: readonly T[], chance: number): T | undefined => list[Math.floor(chance * list.length)];

/** The account's invoices at the provider that could still be paid. */
async function askedOf(accountId: number): Promise<string[]> {
  const rows = await bench.dataSource.query<{ id: string }[]>(
    `SELECT provider_id AS id FROM collections WHERE account_id = $1 AND provider_id IS NOT NULL ORDER BY id`,
    [accountId],
  );
  return rows.map(({ id }) => id);
}

async function paymentsOf(accountId: number): Promise<string[]> {
  const customerId = await bench.world.deps.cards.customerOf(accountId);
  const { intents } = bench.payments.emulator.ledger();
  return intents
    .filter((intent) => intent.customerId === customerId && intent.capturedMinor > 0)
    .map(({ holdId }) => holdId);
}

const disputes: string[] = [];

/** What customers, banks, operators and workers do. What the provider refuses does not happen. */
const ACTS = {
  invoice: async ({ accountId, chance }: Turn) => {
    await issueInvoice(bench.world, accountId, 60 + Math.floor(chance * 7000));
  },
  collect: async ({ faults }: Turn) => {
    const due = await bench.dataSource.query<{ id: number; name: string }[]>(
      'SELECT id, name FROM sagas WHERE finished_at IS NULL ORDER BY seq',
    );
    const of = (name: string) => (name === collectInvoice.name ? faults : []);
    await Promise.all(due.map(({ id, name }) => runToEnd(bench.world, name, id, of(name))));
  },
  goodCard: ({ accountId }: Turn) => addCard(bench.world, accountId, GOOD),
  badCard: ({ accountId }: Turn) => addCard(bench.world, accountId, DECLINED_LATER),
  payByHand: async ({ accountId, chance }: Turn) => {
    const invoiceId = pick(await askedOf(accountId), chance);
    if (invoiceId) await bench.payments.provider.invoices.pay({ invoiceId, ...bench.key() });
  },
  payElsewhere: async ({ accountId, chance }: Turn) => {
    const invoiceId = pick(await askedOf(accountId), chance);
    if (invoiceId) await bench.payments.provider.invoices.settleElsewhere({ invoiceId, ...bench.key() });
  },
  voidByHand: async ({ accountId, chance }: Turn) => {
    const invoiceId = pick(await askedOf(accountId), chance);
    if (invoiceId) await bench.payments.provider.invoices.void({ invoiceId, ...bench.key() });
  },
  writeOffByHand: async ({ accountId, chance }: Turn) => {
    const invoiceId = pick(await askedOf(accountId), chance);
    if (invoiceId) await bench.payments.provider.invoices.writeOff({ invoiceId, ...bench.key() });
  },
  topUp: async ({ accountId, chance }: Turn) => {
    const back = 'http://127.0.0.1:9/back';
    const { url } = await bench.world.topUps.open({
      accountId,
      amountMinor: 50 + Math.floor(chance * 3000),
      email: 'ada@example.test',
      currency: 'eur',
      successUrl: back,
      cancelUrl: back,
      savesCard: chance > 0.5,
    });
    await submit(url, { number: GOOD, expiry: '12 / 34', cvc: '123', name: 'Ada' });
  },
  refund: async ({ accountId, chance }: Turn) => {
    const all = await invoices(bench.manager, { accountId, limit: 50 });
    const one = pick(all, chance);
    if (!one || one.totalMinor === 0) return;
    const asked = { invoiceId: one.id, requestId: `request ${newId()}`, reason: 'Sorry', at: new Date() };
    const amountMinor = Math.ceil((one.totalMinor * ((chance * 7919) % 1)) / 2) || 1;
    const refundTo = chance > 0.5 ? 'card' : 'credit';
    await bench.within((m) => refundInvoice(m, bench.world.store, { ...asked, amountMinor, refundTo }));
  },
  refundByHand: async ({ accountId, chance }: Turn) => {
    const paymentId = pick(await paymentsOf(accountId), chance);
    const refund = {
      amountMinor: 1 + Math.floor(chance * 200),
      reason: 'duplicate',
      reference: 'by hand',
    } as const;
    if (paymentId) await bench.payments.provider.money.refund({ ...refund, paymentId, ...bench.key() });
  },
  dispute: async ({ accountId, chance }: Turn) => {
    const payment = pick(await paymentsOf(accountId), chance);
    if (payment) disputes.push(bench.payments.emulator.dispute({ payment }));
  },
  payOut: async () => {
    bench.payments.emulator.advance(2 * 86_400);
    bench.payments.emulator.payOut();
  },
  failPayout: async ({ chance }: Turn) => {
    const { payouts } = bench.payments.emulator.ledger();
    const payout = pick(
      payouts.filter(({ status }) => status !== 'failed'),
      chance,
    );
    if (payout) bench.payments.emulator.failPayout(payout.id);
  },
  failRefund: async ({ accountId, chance }: Turn) => {
    const customerId = await bench.world.deps.cards.customerOf(accountId);
    const { refunds } = bench.payments.emulator.ledger();
    const own = refunds.filter((one) => one.customerId === customerId && one.status === 'succeeded');
    const refund = pick(own, chance);
    if (refund) bench.payments.emulator.failRefund(refund.id);
  },
  sweepBalance: async () => {
    await Promise.all([sweepBalance(bench.world.deps), sweepBalance(bench.world.deps)]);
  },
  decide: async ({ chance }: Turn) => {
    const dispute = disputes.shift();
    if (dispute) bench.payments.emulator.closeDispute(dispute, chance > 0.5 ? 'won' : 'lost');
  },
  sweep: async () => {
    await bench.payments.events.repair();
  },
  days: async () => {
    bench.payments.emulator.advance(86_400);
  },
} satisfies Record<string, (turn: Turn) => Promise<unknown>>;

const CALLS = [
  'POST /v1/invoices',
  'POST /v1/invoiceitems',
  'POST /v1/invoices/:id/finalize',
  'POST /v1/invoices/:id/pay',
  'POST /v1/invoices/:id/void',
  'POST /v1/refunds',
  'GET /v1/invoices/:id',
  'GET /v1/payment_intents/:id',
  'GET /v1/events',
];
const apiFault = fc.record({
  match: fc.constantFrom(...CALLS),
  effect: fc.constantFrom(
    'cut_before' as const,
    'cut_after' as const,
    'error_500' as const,
    'error_500_after' as const,
    'error_429' as const,
    'error_409' as const,
    'late_answer' as const,
  ),
  times: fc.integer({ min: 1, max: 3 }),
  milliseconds: fc.integer({ min: 0, max: 40 }),
});
const webhookFault = fc.record({
  effect: fc.constantFrom('lose' as const, 'duplicate' as const, 'delay' as const, 'reorder' as const),
  probability: fc.constantFrom(0.2, 0.5, 1),
  times: fc.integer({ min: 1, max: 12 }),
  milliseconds: fc.integer({ min: 0, max: 40 }),
});
/** The worker dies after a call and before it could write what came of it; another one takes over. */
const crash = fc.record({
  step: fc.constantFrom(...collectInvoice.steps.map(({ name }) => name)),
  direction: fc.constant('do' as const),
  moment: fc.constantFrom('before' as const, 'recording' as const),
  kind: fc.constantFrom('transient' as const, 'transient' as const, 'permanent' as const),
});
const plan = fc.record({
  seed: fc.nat(),
  acts: fc.array(
    fc.record({
      what: fc.constantFrom(
        ...(Object.keys(ACTS) as (keyof typeof ACTS)[]),
        'invoice' as const,
        'collect' as const,
        'collect' as const,
      ),
      owner: fc.nat(1),
      chance: fc.nat(9999).map((number) => number / 10_000),
      faults: fc.array(crash, { maxLength: 2 }),
      api: fc.array(apiFault, { maxLength: 1 }),
      workers: fc.nat(2),
    }),
    { minLength: 4, maxLength: 14, size: 'max' },
  ),
  webhooks: fc.array(webhookFault, { maxLength: 4 }),
});

const LAPSE = 'UPDATE stripe_events SET next_try_at = now() WHERE processed_at IS NULL';

/** Lets workers work off what comes while something happens, and each think the others dead. */
async function meanwhile(workers: number, happening: Promise<unknown>): Promise<void> {
  let isOver = false;
  const work = async () => {
    while (!isOver) {
      await bench.dataSource.query(LAPSE);
      await bench.payments.events.processDue(3);
    }
  };
  const working = Array.from({ length: workers }, work);
  try {
    await happening.catch((error: unknown) => {
      if (!isRefusal(error)) throw error;
    });
    await bench.payments.emulator.idle();
  } finally {
    isOver = true;
    await Promise.all(working);
  }
}

/** What a customer, an operator or a bank asked for and did not get. */
function isRefusal(error: unknown): boolean {
  const text = error instanceof Error ? `${error.name} ${error.message}` : '';
  return error instanceof PaymentError || /BillingError|StripeProblem|disput|fetch failed/i.test(text);
}

it('whatever becomes of calls, webhooks and workers, the books have what the provider has, to the cent', async () => {
  await fc.assert(
    fc.asyncProperty(fc.noBias(plan), async ({ seed, acts, webhooks }) => {
      const owners = [await bench.customer(GOOD), await bench.customer()];
      disputes.splice(0);
      bench.payments.emulator.addFaults({ seed, webhooks });
      for (const { what, owner, chance, faults, api, workers } of acts) {
        bench.payments.emulator.addFaults({ api });
        const turn = { accountId: owners[owner] as number, chance, faults };
        await meanwhile(workers, ACTS[what](turn));
      }
      bench.payments.emulator.clearFaults();
      await bench.settle();
      await judge(owners);
    }),
    { numRuns: 25, endOnFailure: true },
  );
}, 540_000);

async function judge(owners: readonly number[]): Promise<void> {
  // What has come to nothing is asked for again when its time has come.
  await bench.dataSource.query(`UPDATE sagas SET finished_at = finished_at - interval '2 hours'`);
  await collectDue(bench.dataSource, bench.world.store, new Date());
  await bench.settle();
  await assertBooksAreTheProviders(bench.world);
  expect(await compareWithProvider(bench.world.deps)).toEqual([]);
  for (const accountId of owners) {
    expect(await creditBalanceMinor(bench.manager, accountId, 'eur')).toBeGreaterThanOrEqual(0);
    await expectAskedFor(accountId);
  }
}

/** All that is open is asked for, once, unless it is too little, or a bank has taken it back. */
async function expectAskedFor(accountId: number): Promise<void> {
  const rows = await bench.dataSource.query<
    { open: number; asked: number; parts: number; isBack: boolean }[]
  >(
    `SELECT b.open_minor AS open, coalesce(sum(p.amount_minor), 0)::int AS asked, count(p.*)::int AS parts,
            EXISTS (SELECT 1 FROM invoice_settlements s WHERE s.invoice_id = i.id AND s.kind = 'dispute') AS "isBack"
     FROM invoices i CROSS JOIN LATERAL (SELECT open_minor FROM invoice_balances WHERE id = i.id) AS b
     LEFT JOIN (collection_parts p JOIN collections c ON c.id = p.collection_id AND c.status = 'open') ON p.invoice_id = i.id
     WHERE i.account_id = $1 GROUP BY i.id, b.open_minor`,
    [accountId],
  );
  for (const { open, asked, parts, isBack } of rows) {
    if (isBack) continue;
    expect(parts).toBeLessThanOrEqual(1);
    if (open >= LEAST_CHARGE_MINOR || asked > 0) expect(asked).toBe(open);
  }
}
