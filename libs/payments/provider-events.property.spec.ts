import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '#libs/kernel';
import { testDatabase } from '../../test/support/test-database.ts';
import { collect } from './harness/collect.ts';
import { EventLog } from './harness/event-log.ts';
import { type PaymentsHarness, startPayments, submit } from './harness/index.ts';
import { eventGroupOf, PaymentError, type ProviderEvent } from './index.ts';

const database = testDatabase();
let log: EventLog;
let bench: PaymentsHarness;
type Owner = Awaited<ReturnType<typeof collect.customer>>;
const owners: Owner[] = [];

/** A card that works, one that fails when it is charged, and one whose owner disputes each payment. */
const CARDS = ['4242424242424242', '4000000000000341', '4000000000000259'];

beforeAll(async () => {
  log = await EventLog.create(database.dataSource);
  bench = await startPayments(database.dataSource, { listener: log.listener });
  for (const card of CARDS) owners.push(await collect.customer(bench, card));
});
afterAll(() => bench.close());

const key = () => ({ idempotencyKey: `key ${newId()}` });

/** What happens at the provider. Each causes events about things of its own. */
const ACTS = {
  invoice: async ({ customerId }: Owner) => {
    const { invoiceId } = await collect.invoice(bench, customerId, 900);
    await bench.provider.invoices.pay({ invoiceId, ...key() });
  },
  voided: async ({ customerId }: Owner) => {
    const { invoiceId } = await collect.invoice(bench, customerId, 900);
    await bench.provider.invoices.void({ invoiceId, ...key() });
  },
  writtenOff: async ({ customerId }: Owner) => {
    const { invoiceId } = await collect.invoice(bench, customerId, 900);
    await bench.provider.invoices.writeOff({ invoiceId, ...key() });
  },
  payment: async (owner: Owner) => {
    await collect.payment(bench, owner, 900);
  },
  refund: async (owner: Owner) => {
    const { paymentId, status, isDisputed } = await collect.payment(bench, owner, 900);
    if (status !== 'succeeded' || isDisputed) return;
    for (const reference of ['first part', 'second part']) {
      await bench.provider.money.refund({
        paymentId,
        amountMinor: 300,
        reason: 'requested_by_customer',
        reference,
        ...key(),
      });
    }
  },
  topUp: async ({ accountId, customerId }: Owner) => {
    const { url } = await collect.topUp(bench, accountId, customerId, 5000);
    await submit(String(url), { number: '4242424242424242', expiry: '12/34', cvc: '123', name: 'Ada' });
  },
};

const webhookFault = fc.record({
  effect: fc.constantFrom('lose' as const, 'duplicate' as const, 'delay' as const, 'reorder' as const),
  probability: fc.constantFrom(0.2, 0.5, 1),
  times: fc.integer({ min: 1, max: 12 }),
  milliseconds: fc.integer({ min: 0, max: 40 }),
});
const apiFault = fc.record({
  match: fc.constantFrom(
    'GET /v1/invoices/:id',
    'GET /v1/payment_intents/:id',
    'GET /v1/checkout/sessions/:id',
    'GET /v1/disputes/:id',
    'GET /v1/events',
  ),
  effect: fc.constantFrom(
    'cut_before' as const,
    'cut_after' as const,
    'error_500' as const,
    'error_429' as const,
    'latency' as const,
    'late_answer' as const,
  ),
  times: fc.integer({ min: 1, max: 4 }),
  milliseconds: fc.integer({ min: 0, max: 60 }),
});
const plan = fc.record({
  seed: fc.nat(),
  acts: fc.array(
    fc.record({
      what: fc.constantFrom(...(Object.keys(ACTS) as (keyof typeof ACTS)[])),
      owner: fc.nat(CARDS.length - 1),
      workers: fc.nat(3),
    }),
    { minLength: 1, maxLength: 5 },
  ),
  webhooks: fc.array(webhookFault, { maxLength: 4 }),
  api: fc.array(apiFault, { maxLength: 3 }),
  listenerFailures: fc.nat(3),
  /** Workers that take so long that others think them dead. */
  leasesLapse: fc.boolean(),
});

const LAPSE = 'UPDATE stripe_events SET next_try_at = now() WHERE processed_at IS NULL';

/** Works off all events that are known, those that failed as well. */
async function settle(): Promise<void> {
  await bench.emulator.idle();
  for (;;) {
    await database.dataSource.query(LAPSE);
    if ((await bench.events.processDue()) === 0) return;
  }
}

/** Lets workers work off what comes while something happens. */
async function meanwhile(workers: number, leasesLapse: boolean, happening: Promise<void>): Promise<void> {
  let isOver = false;
  const work = async () => {
    while (!isOver) {
      if (leasesLapse) await database.dataSource.query(LAPSE);
      await bench.events.processDue(3);
    }
  };
  const working = Array.from({ length: workers }, work);
  try {
    await happening.catch((error: unknown) => {
      if (!(error instanceof PaymentError && error.retryable)) throw error;
    });
    await bench.emulator.idle();
  } finally {
    isOver = true;
    await Promise.all(working);
  }
}

/** More tries than a plan has faults of the API, each of which may end one. */
const SWEEPS_AT_MOST = 100;

async function sweep(): Promise<void> {
  for (let tries = 0; tries < SWEEPS_AT_MOST; tries += 1) {
    try {
      await bench.events.repair({ isFull: tries % 2 === 1 });
      return;
    } catch (error) {
      if (!(error instanceof PaymentError && error.retryable)) throw error;
    }
  }
  throw new Error('the sweep never came through');
}

/** Events of the provider that somebody must have been told. */
async function tellable(): Promise<ProviderEvent[]> {
  const events: ProviderEvent[] = [];
  for await (const event of bench.provider.listEvents(new Date(0))) {
    if (eventGroupOf(event.type) !== undefined && event.subject.kind !== 'other') events.push(event);
  }
  return events;
}

/** What a subject is, in the words of the log. */
async function stateOf({ kind, id }: { kind: string; id: string }): Promise<string | undefined> {
  const { invoices, money } = bench.provider;
  if (kind === 'invoice') return (await invoices.fetch(id)).status;
  if (kind === 'top_up') return (await money.fetchTopUp(id)).status;
  if (kind === 'dispute') return (await money.fetchDispute(id)).status;
  if (kind !== 'payment') return undefined;
  const { status, refundedMinor } = await money.fetchPayment(id);
  return refundedMinor > 0 ? `${status} ${refundedMinor}` : status;
}

describe('whatever becomes of webhooks', () => {
  it('each event is told once, and the last word about each thing is the truth', async () => {
    await fc.assert(
      fc.asyncProperty(plan, async ({ seed, acts, webhooks, api, listenerFailures, leasesLapse }) => {
        bench.emulator.addFaults({ seed, webhooks });
        log.failNext(listenerFailures);
        for (const { what, owner, workers } of acts) {
          bench.emulator.addFaults({ api });
          await meanwhile(workers, leasesLapse, ACTS[what](owners[owner] as Owner));
        }
        bench.emulator.addFaults({ api });
        await sweep();
        bench.emulator.clearFaults();
        log.failNext(0);
        await sweep();
        await settle();
        await judge();
      }),
      { numRuns: 30, endOnFailure: true },
    );
  }, 240_000);
});

async function judge(): Promise<void> {
  const events = await tellable();
  const counts = new Map((await log.counts()).map(({ eventId, times }) => [eventId, times]));
  const wrong = events.filter(
    ({ eventId, subject }) => counts.get(eventId) !== 1 && subject.kind !== 'card_setup',
  );
  expect(wrong).toEqual([]);
  const subjects = new Map(events.flatMap(({ subject }) => ('id' in subject ? [[subject.id, subject]] : [])));
  for (const subject of subjects.values()) {
    const truth = await stateOf(subject);
    if (truth !== undefined)
      expect([subject.id, (await log.of(subject.id)).at(-1)?.state]).toEqual([subject.id, truth]);
  }
}
