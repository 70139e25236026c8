import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '#libs/kernel';
import { testDatabase } from '../../test/support/test-database.ts';
import { type PaymentsHarness, startPayments } from './harness/index.ts';
import { nextStatus } from './hold.record.ts';
import { type HoldRowStatus, PaymentError } from './index.ts';
import type { HoldStatus } from './port.ts';

const database = testDatabase();
let bench: PaymentsHarness;
const accounts: number[] = [];

/** Cards that work, that fail when charged, and that ask. */
const CARDS = ['4242424242424242', '4000000000000341', '4000002760003184'];
const AMOUNT = 900;

beforeAll(async () => {
  bench = await startPayments(database.dataSource, { timeoutMilliseconds: 600 });
  for (const card of CARDS) accounts.push(await bench.accountWithCard(card));
});
afterAll(() => bench.close());

const CALLS = [
  'POST /v1/payment_intents',
  'POST /v1/payment_intents/:id/confirm',
  'POST /v1/payment_intents/:id/capture',
  'POST /v1/payment_intents/:id/cancel',
  'POST /v1/refunds',
  'GET /v1/payment_intents/:id',
];

const apiFault = fc.record({
  match: fc.constantFrom(...CALLS),
  effect: fc.constantFrom(
    'cut_before' as const,
    'cut_after' as const,
    'timeout_after' as const,
    'timeout_before' as const,
    'error_500' as const,
    'error_500_after' as const,
    'error_429' as const,
    'error_409' as const,
  ),
  times: fc.integer({ min: 1, max: 3 }),
});
const webhookFault = fc.record({
  effect: fc.constantFrom('lose' as const, 'duplicate' as const, 'delay' as const, 'reorder' as const),
  times: fc.integer({ min: 1, max: 4 }),
  milliseconds: fc.integer({ min: 0, max: 30 }),
});

/** What workers do with an order. `crash` is what is left of a step whose process died: it may go on meanwhile. */
const act = fc.record({
  step: fc.constantFrom('hold' as const, 'hold' as const, 'capture' as const, 'release' as const),
  isCrashed: fc.boolean(),
});

const plan = fc.record({
  account: fc.nat(CARDS.length - 1),
  acts: fc.array(act, { minLength: 1, maxLength: 6 }),
  end: fc.constantFrom('capture' as const, 'release' as const),
  faults: fc.array(apiFault, { maxLength: 4 }),
  webhooks: fc.array(webhookFault, { maxLength: 3 }),
  worksOffEvents: fc.boolean(),
});

/** Repeats a step as a saga does, until it succeeds or fails for good. */
async function persist(run: () => Promise<unknown>): Promise<unknown> {
  for (let tries = 0; tries < 30; tries += 1) {
    try {
      return await run();
    } catch (error) {
      if (!(error instanceof PaymentError)) throw error;
      if (!error.retryable) return error;
    }
  }
  throw new Error('the step never ended');
}

describe('whatever crashes, is lost, doubled or late', () => {
  it('an order is charged once or not at all, and a failed one holds nothing', async () => {
    await fc.assert(
      fc.asyncProperty(plan, async ({ account, acts, end, faults, webhooks, worksOffEvents }) => {
        const orderId = newId();
        const request = {
          orderId,
          accountId: Number(accounts[account]),
          amountMinor: AMOUNT,
          currency: 'eur' as const,
          description: 'Servery order',
        };
        const steps = {
          hold: () => bench.payments.hold(request),
          capture: () => bench.payments.capture(orderId),
          release: () => bench.payments.release(orderId),
        };
        bench.emulator.addFaults({ api: faults, webhooks });
        const zombies: Promise<unknown>[] = [];
        for (const { step, isCrashed } of acts) {
          const running = steps[step]().catch((error: unknown) => {
            if (!(error instanceof PaymentError)) throw error;
          });
          if (isCrashed) zombies.push(running);
          else await running;
          if (worksOffEvents) await bench.events.processDue(5);
        }
        if (end === 'capture') await persist(steps.hold);
        await persist(steps[end]);
        await Promise.all(zombies);
        bench.emulator.clearFaults();
        await persist(() => bench.events.repair({ quietSeconds: 0 }));
        await judge({ orderId, works: account === 0 }, end, acts);
      }),
      { numRuns: 40, endOnFailure: true },
    );
  }, 240_000);
});

async function judge(
  { orderId, works }: { orderId: number; works: boolean },
  end: 'capture' | 'release',
  acts: readonly { step: string }[],
): Promise<void> {
  await persist(() => bench.payments.refreshHold(orderId));
  const row = await bench.payments.holdOf(orderId);
  const intents = bench.emulator.ledger().intents.filter((intent) => intent.orderId === String(orderId));
  const held = intents.reduce((sum, intent) => sum + intent.heldMinor, 0);
  const captured = intents.reduce((sum, intent) => sum + intent.capturedMinor, 0);
  const refunded = intents.reduce((sum, intent) => sum + intent.refundedMinor, 0);
  const moves = (await bench.moves()).filter((move) => move.orderId === orderId);
  const told = (kind: string) => moves.filter((move) => move.kind === kind).map((move) => move.amountMinor);
  expect([0, AMOUNT]).toContain(captured);
  expect(held).toBe(0);
  expect(told('captured')).toEqual(captured ? [captured] : []);
  expect(told('refunded')).toEqual(refunded ? [refunded] : []);
  expect(row?.capturedMinor ?? 0).toBe(captured);
  expect(row?.refundedMinor ?? 0).toBe(refunded);
  const isReleased = end === 'release' || acts.some(({ step }) => step === 'release');
  if (isReleased) expect(captured - refunded).toBe(0);
  else expect(captured).toBe(works ? AMOUNT : 0);
}

describe('the status of a hold', () => {
  const all: HoldRowStatus[] = [
    'requested',
    'requires_action',
    'authorized',
    'captured',
    'cancelled',
    'declined',
  ];
  const seen: HoldStatus[] = ['opened', 'requires_action', 'authorized', 'captured', 'cancelled', 'declined'];

  it('never leaves its end, and never goes back, whatever is seen late', () => {
    fc.assert(
      fc.property(fc.constantFrom(...all), fc.array(fc.constantFrom(...seen)), (start, sights) => {
        let status = start;
        for (const sight of sights) {
          const next = nextStatus(status, sight);
          if (['captured', 'cancelled', 'declined'].includes(status)) expect(next).toBe(status);
          if (status === 'authorized') expect(['requested', 'requires_action']).not.toContain(next);
          status = next;
        }
      }),
    );
  });
});
