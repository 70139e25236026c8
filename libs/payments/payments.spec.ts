import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '#libs/kernel';
import { testDatabase } from '../../test/support/test-database.ts';
import { confirmWithBank, type PaymentsHarness, startPayments } from './harness/index.ts';
import { PaymentError } from './index.ts';

const database = testDatabase();
let bench: PaymentsHarness;

beforeAll(async () => {
  bench = await startPayments(database.dataSource, { timeoutMilliseconds: 800 });
});
afterEach(() => bench.emulator.clearFaults());
afterAll(() => bench.close());

const order = (accountId: number, more: object = {}) => ({
  orderId: newId(),
  accountId,
  amountMinor: 900,
  currency: 'eur' as const,
  description: 'Servery order',
  ...more,
});

function ledgerOf(orderId: number) {
  return bench.emulator.ledger().intents.filter((intent) => intent.orderId === String(orderId));
}

const movesOf = async (orderId: number) =>
  (await bench.moves())
    .filter((move) => move.orderId === orderId)
    .map((move) => [move.kind, move.amountMinor]);

async function until(check: () => Promise<boolean>): Promise<void> {
  for (let count = 0; count < 400; count += 1) {
    if (await check()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('it did not come');
}

const code = (expected: string) => expect.objectContaining({ code: expected });

describe('a card', () => {
  it('is saved on the hosted page and becomes the default', async () => {
    const accountId = await bench.accountWithCard('5555555555554444');
    const [card, ...others] = await bench.cards.list(accountId);
    expect(card).toMatchObject({
      brand: 'mastercard',
      last4: '4444',
      expiryMonth: 12,
      expiryYear: 2034,
      isDefault: true,
    });
    expect(others).toEqual([]);
    await bench.payments.assertReadyToCharge(accountId);
  });

  it('is found by its webhook alone when the customer never comes back', async () => {
    const accountId = newId();
    await bench.enterCard(accountId, '4242424242424242');
    await until(async () => {
      await bench.events.processDue();
      return (await bench.cards.list(accountId)).length === 1;
    });
    await bench.payments.assertReadyToCharge(accountId);
  });

  it('is missing until it is entered, and after it is removed', async () => {
    await expect(bench.payments.assertReadyToCharge(newId())).rejects.toEqual(code('no_card'));
    const accountId = await bench.accountWithCard();
    const [card] = await bench.cards.list(accountId);
    await bench.cards.remove(accountId, Number(card?.id));
    expect(await bench.cards.list(accountId)).toEqual([]);
    await expect(bench.payments.hold(order(accountId))).rejects.toEqual(code('no_card'));
  });

  it('of another account cannot be touched', async () => {
    const owner = await bench.accountWithCard();
    const other = await bench.accountWithCard();
    const [card] = await bench.cards.list(owner);
    await expect(bench.cards.remove(other, Number(card?.id))).rejects.toEqual(code('card_not_found'));
    await expect(bench.cards.makeDefault(other, Number(card?.id))).rejects.toEqual(code('card_not_found'));
    expect(await bench.cards.list(owner)).toHaveLength(1);
  });

  it('added later becomes the default, and an earlier one can be chosen again', async () => {
    const accountId = await bench.accountWithCard();
    await bench.cards.finishSetup(accountId, await bench.enterCard(accountId, '5555555555554444'));
    const [first, second] = await bench.cards.list(accountId);
    expect([first?.last4, second?.last4]).toEqual(['4444', '4242']);
    await bench.cards.makeDefault(accountId, Number(second?.id));
    expect((await bench.cards.list(accountId))[0]?.last4).toBe('4242');
  });

  it('is chosen from those that are left when the default one is removed', async () => {
    const accountId = await bench.accountWithCard();
    await bench.cards.finishSetup(accountId, await bench.enterCard(accountId, '5555555555554444'));
    const [removed] = await bench.cards.list(accountId);
    await bench.cards.remove(accountId, Number(removed?.id));
    expect(await bench.cards.list(accountId)).toMatchObject([{ last4: '4242', isDefault: true }]);
    expect(await bench.payments.hold(order(accountId))).toEqual({ status: 'authorized' });
  });
});

describe('a hold', () => {
  it('is captured once, however often it is asked, and told once', async () => {
    const request = order(await bench.accountWithCard());
    expect(await bench.payments.hold(request)).toEqual({ status: 'authorized' });
    expect(await bench.payments.hold(request)).toEqual({ status: 'authorized' });
    expect(ledgerOf(request.orderId)).toMatchObject([{ heldMinor: 900, capturedMinor: 0 }]);
    expect(await bench.payments.capture(request.orderId)).toEqual({ capturedMinor: 900 });
    expect(await bench.payments.capture(request.orderId)).toEqual({ capturedMinor: 900 });
    expect(ledgerOf(request.orderId)).toMatchObject([{ heldMinor: 0, capturedMinor: 900 }]);
    expect(await movesOf(request.orderId)).toEqual([['captured', 900]]);
  });

  it('is let go, and nothing can take it afterwards', async () => {
    const request = order(await bench.accountWithCard());
    await bench.payments.hold(request);
    await bench.payments.release(request.orderId);
    await bench.payments.release(request.orderId);
    expect(ledgerOf(request.orderId)).toMatchObject([{ status: 'canceled', heldMinor: 0, capturedMinor: 0 }]);
    await expect(bench.payments.capture(request.orderId)).rejects.toEqual(code('hold_not_open'));
    await expect(bench.payments.hold(request)).rejects.toEqual(code('hold_not_open'));
    expect(await movesOf(request.orderId)).toEqual([]);
  });

  it('that was captured is paid back in full when its order fails after all', async () => {
    const request = order(await bench.accountWithCard());
    await bench.payments.hold(request);
    await bench.payments.capture(request.orderId);
    await bench.payments.release(request.orderId);
    await bench.payments.release(request.orderId);
    expect(ledgerOf(request.orderId)).toMatchObject([{ capturedMinor: 900, refundedMinor: 900 }]);
    expect(await movesOf(request.orderId)).toEqual([
      ['captured', 900],
      ['refunded', 900],
    ]);
  });

  it('of a card that the bank declines is an answer with advice, and holds nothing', async () => {
    const request = order(await bench.accountWithCard('4000000000000341'));
    const result = {
      status: 'declined',
      code: 'card_declined',
      advice: expect.stringContaining('another card'),
    };
    expect(await bench.payments.hold(request)).toEqual(result);
    expect(await bench.payments.hold(request)).toEqual(result);
    await bench.payments.release(request.orderId);
    expect(ledgerOf(request.orderId)).toMatchObject([{ status: 'canceled', heldMinor: 0, capturedMinor: 0 }]);
  });

  it('of a card that was authenticated when it was saved needs nobody', async () => {
    const request = order(await bench.accountWithCard('4000002500003155'));
    expect(await bench.payments.hold(request)).toEqual({ status: 'authorized' });
  });

  it('that the bank wants confirmed is declined where nobody is there to confirm', async () => {
    const request = order(await bench.accountWithCard('4000002760003184'));
    expect(await bench.payments.hold(request)).toMatchObject({
      status: 'declined',
      code: 'authentication_required',
    });
  });

  describe('that the customer must confirm', () => {
    const confirmable = async () => {
      const accountId = await bench.accountWithCard('4000002760003184');
      const request = order(accountId, { returnUrl: 'http://127.0.0.1:9/orders' });
      const result = await bench.payments.hold(request);
      if (result.status !== 'requires_action') throw new Error(`unexpected ${result.status}`);
      return { orderId: request.orderId, actionUrl: String(result.actionUrl) };
    };

    it('is authorized once they did, as the webhook tells', async () => {
      const { orderId, actionUrl } = await confirmable();
      const back = new URL(await confirmWithBank(actionUrl));
      expect(back.searchParams.get('redirect_status')).toBe('succeeded');
      await until(async () => {
        await bench.events.processDue();
        return (await bench.payments.holdOf(orderId))?.status === 'authorized';
      });
      await bench.payments.capture(orderId);
      expect(await movesOf(orderId)).toEqual([['captured', 900]]);
    });

    it('is declined when they refuse', async () => {
      const { orderId, actionUrl } = await confirmable();
      await confirmWithBank(actionUrl, 'fail');
      expect(await bench.payments.refreshHold(orderId)).toMatchObject({
        status: 'declined',
        failureCode: 'authentication_failed',
        message: expect.stringContaining('order again'),
      });
    });

    it('can be released when they walk away, and their late answer has no effect', async () => {
      const { orderId, actionUrl } = await confirmable();
      await bench.payments.release(orderId);
      expect(await confirmWithBank(actionUrl)).toContain('has been withdrawn');
      expect(ledgerOf(orderId)).toMatchObject([{ status: 'canceled', heldMinor: 0, capturedMinor: 0 }]);
    });
  });

  it('that the bank let go after a week is told apart', async () => {
    const request = order(await bench.accountWithCard());
    await bench.payments.hold(request);
    bench.emulator.advance(8 * 86_400);
    await expect(bench.payments.capture(request.orderId)).rejects.toEqual(code('hold_expired'));
    expect(await movesOf(request.orderId)).toEqual([]);
  });

  it.each([0, 49, -900, 9.5, Number.NaN, Number.MAX_SAFE_INTEGER + 1])(
    'of %s is refused',
    async (amountMinor) => {
      const request = order(await bench.accountWithCard(), { amountMinor });
      await expect(bench.payments.hold(request)).rejects.toEqual(code('amount_invalid'));
      expect(await bench.payments.holdOf(request.orderId)).toBeUndefined();
    },
  );

  it('is not changed by asking for another amount', async () => {
    const request = order(await bench.accountWithCard());
    await bench.payments.hold(request);
    await expect(bench.payments.hold({ ...request, amountMinor: 901 })).rejects.toEqual(
      code('amount_invalid'),
    );
  });

  it('of an order that has none can be released, not captured', async () => {
    const orderId = newId();
    await bench.payments.release(orderId);
    await expect(bench.payments.capture(orderId)).rejects.toEqual(code('hold_not_found'));
  });
});

describe('a provider that fails', () => {
  const steps = [
    ['POST /v1/payment_intents', 'hold'],
    ['POST /v1/payment_intents/:id/confirm', 'hold'],
    ['POST /v1/payment_intents/:id/capture', 'capture'],
    ['POST /v1/payment_intents/:id/cancel', 'release'],
  ] as const;
  const effects = [
    'cut_before',
    'cut_after',
    'timeout_before',
    'timeout_after',
    'error_500',
    'error_500_after',
  ] as const;
  const cases = steps.flatMap(([match, step]) => effects.map((effect) => [effect, match, step] as const));

  it.each(cases)('by %s at %s makes %s repeatable', async (effect, match, step) => {
    const request = order(await bench.accountWithCard());
    const act = {
      hold: () => bench.payments.hold(request),
      capture: () => bench.payments.capture(request.orderId),
      release: () => bench.payments.release(request.orderId),
    };
    if (step !== 'hold') await act.hold();
    // The client repeats a cut call once by itself.
    bench.emulator.addFaults({ api: [{ match, effect, times: effect.startsWith('cut') ? 2 : 1 }] });
    const error: unknown = await act[step]().catch((caught: unknown) => caught);
    if (error !== undefined) expect(error).toMatchObject({ code: 'provider_unavailable', retryable: true });
    await act[step]();
    if (step === 'hold') await act.capture();
    const isReleased = step === 'release';
    expect(ledgerOf(request.orderId).filter((intent) => intent.heldMinor > 0)).toEqual([]);
    expect(
      ledgerOf(request.orderId)
        .map((intent) => intent.capturedMinor)
        .filter(Boolean),
    ).toEqual(isReleased ? [] : [900]);
    expect(await movesOf(request.orderId)).toEqual(isReleased ? [] : [['captured', 900]]);
  });

  it('in the middle of a hold leaves nothing after its release', async () => {
    for (const match of ['POST /v1/payment_intents', 'POST /v1/payment_intents/:id/confirm']) {
      const request = order(await bench.accountWithCard());
      bench.emulator.addFaults({ api: [{ match, effect: 'timeout_after' }] });
      await expect(bench.payments.hold(request)).rejects.toEqual(code('provider_unavailable'));
      await bench.payments.release(request.orderId);
      expect(ledgerOf(request.orderId)).toMatchObject([
        { status: 'canceled', heldMinor: 0, capturedMinor: 0 },
      ]);
    }
  });

  it('to answer the release of a hold that asked for no money yet does not keep its order open', async () => {
    const request = order(await bench.accountWithCard());
    bench.emulator.addFaults({ api: [{ match: '*', effect: 'timeout_before', times: 2 }] });
    await expect(bench.payments.hold(request)).rejects.toBeInstanceOf(PaymentError);
    await bench.payments.release(request.orderId);
    expect(await bench.payments.holdOf(request.orderId)).toMatchObject({ status: 'cancelled' });
  });
});

describe('webhooks', () => {
  it('delivered twice, late, or in reverse come to the same end', async () => {
    bench.emulator.addFaults({
      webhooks: [
        { effect: 'duplicate', times: 2 },
        { effect: 'reorder', times: 4 },
        { effect: 'delay', times: 3, milliseconds: 50 },
      ],
    });
    const request = order(await bench.accountWithCard());
    await bench.payments.hold(request);
    await bench.payments.capture(request.orderId);
    await until(async () => {
      await bench.events.processDue();
      const sql =
        'SELECT count(*)::int AS count FROM stripe_events WHERE subject_id = $1 AND processed_at IS NOT NULL';
      const holdId = ledgerOf(request.orderId)[0]?.holdId;
      const [row] = await database.dataSource.query<{ count: number }[]>(sql, [holdId]);
      return row?.count === 2;
    });
    expect(await movesOf(request.orderId)).toEqual([['captured', 900]]);
  });

  it('that were lost are found by the repair sweep', async () => {
    const accountId = await bench.accountWithCard('4000002760003184');
    const request = order(accountId, { returnUrl: 'http://127.0.0.1:9/orders' });
    const result = await bench.payments.hold(request);
    bench.emulator.addFaults({ webhooks: [{ effect: 'lose', times: 100 }] });
    await confirmWithBank(result.status === 'requires_action' ? String(result.actionUrl) : '');
    expect((await bench.payments.holdOf(request.orderId))?.status).toBe('requires_action');
    const report = await bench.events.repair();
    expect(report.found).toBeGreaterThan(0);
    expect((await bench.payments.holdOf(request.orderId))?.status).toBe('authorized');
    expect((await bench.events.repair()).found).toBe(0);
    await bench.payments.release(request.orderId);
  });

  it('with a wrong signature are refused and not stored', async () => {
    const body = Buffer.from('{"id":"evt_forged","object":"event","type":"payment_intent.succeeded"}');
    await expect(bench.events.receive(body, 't=1,v1=00')).rejects.toEqual(code('webhook_signature_invalid'));
    const rows = await database.dataSource.query("SELECT 1 FROM stripe_events WHERE id = 'evt_forged'");
    expect(rows).toEqual([]);
  });
});
