import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '#libs/kernel';
import { testDatabase } from '../../test/support/test-database.ts';
import { collect } from './harness/collect.ts';
import { type PaymentsHarness, startPayments } from './harness/index.ts';
import { PaymentError } from './payments.errors.ts';

const database = testDatabase();
let bench: PaymentsHarness;

beforeAll(async () => {
  bench = await startPayments(database.dataSource);
});
afterAll(() => bench.close());

const WORKERS = Array.from({ length: 8 }, (_, worker) => worker);

describe('what many workers do at once', () => {
  it('is asked for by all of them with one key and the request of the first', async () => {
    for (let round = 0; round < 100; round += 1) {
      const subjectId = newId();
      const asked = WORKERS.map((worker) =>
        bench.calls.make('open_hold', subjectId, { worker }, async (call) => JSON.stringify(call)),
      );
      expect(new Set(await Promise.all(asked)).size).toBe(1);
    }
  });

  it('makes one customer of an account, and none of them sees more than a call to repeat', async () => {
    for (let round = 0; round < 20; round += 1) {
      const customer = { accountId: newId(), email: 'customer@example.test' };
      const asked = await Promise.allSettled(WORKERS.map(() => bench.cards.ensureCustomer(customer)));
      const ids = asked.filter((one) => one.status === 'fulfilled').map((one) => one.value);
      const errors = asked.filter((one) => one.status === 'rejected').map((one) => one.reason);
      expect(errors.filter((error) => !(error instanceof PaymentError && error.retryable))).toEqual([]);
      expect(new Set([...ids, await bench.cards.ensureCustomer(customer)]).size).toBe(1);
    }
  });
});

describe('a call whose answer was lost, made again when its key is forgotten', () => {
  it('finds what it has done, and does it once', async () => {
    const { provider, emulator, calls } = bench;
    const owner = await collect.customer(bench);
    const { paymentId } = await collect.payment(bench, owner, 1000);
    const [subjectId, reference] = [newId(), `refund ${newId()}`];
    const asked = { paymentId, amountMinor: 100, reference, reason: 'requested_by_customer' as const };
    const refund = () =>
      calls.make(
        'refund_payment',
        subjectId,
        asked,
        (call) => provider.money.refund(call),
        () => provider.money.findRefund({ paymentId, reference }),
      );
    emulator.addFaults({ api: [{ match: 'POST /v1/refunds', effect: 'timeout_after' }] });
    await expect(refund()).rejects.toMatchObject({ code: 'provider_unavailable' });
    const twoDays = 2 * 86_400;
    emulator.advance(twoDays);
    await database.dataSource.query(
      'UPDATE payment_calls SET begun_at = begun_at - make_interval(secs => $1) WHERE subject_id = $2',
      [twoDays, subjectId],
    );
    await refund();
    expect(await provider.money.fetchPayment(paymentId)).toMatchObject({ refundedMinor: 100 });
  });
});
