import { z } from 'zod';
import { noteTopUp, type TopUpRecord, topUpById, topUpReference } from '#libs/payments';
import { deps, saga, sagaRequest } from '#libs/saga';
import type { CollectingDeps } from './collecting-deps.ts';
import { lookAtPayment, mirrorPayment } from './provider-books.ts';

/** The row of the recharge is written in the transaction that asks for it. */
export const rechargeCreditRequest = sagaRequest('recharge-credit', z.object({ topUpId: z.int() }));

/** Charges the card on file while its owner is away; what comes in is credit. A decline ends it: nobody tries again. */
export const rechargeCredit = saga(rechargeCreditRequest, deps<CollectingDeps>())
  .step('open', {
    title: 'Preparing the payment',
    do: async ({ params, deps }) => {
      const topUp = await recharge(deps, params.topUpId);
      const { id, accountId, amountMinor, currency } = topUp;
      const card = await deps.cards.chargeable(accountId);
      const reference = topUpReference(id);
      const asked = { ...card, accountId, amountMinor, currency, reference, description: 'Credit' };
      const { money } = deps.provider;
      const opened = await deps.calls.make(
        'open_payment',
        id,
        asked,
        (call) => money.openPayment(call),
        () => money.findPayment({ customerId: card.customerId, reference }),
      );
      return { paymentId: opened.paymentId, cardId: card.cardId };
    },
    commit: async (manager, { params, deps }, { paymentId, cardId }) => {
      const at = deps.clock.now();
      await noteTopUp(manager, params.topUpId, { status: 'open', paymentId, declineCode: null, at });
      await manager.query('UPDATE top_ups SET tried_card = $2 WHERE id = $1', [params.topUpId, cardId]);
    },
    undo: async ({ params, deps, output }) => {
      const paymentId = output?.paymentId ?? (await findPayment(deps, params.topUpId));
      if (paymentId === undefined) return;
      const { money } = deps.provider;
      await deps.calls.make('cancel_payment', params.topUpId, { paymentId }, (call) =>
        money.cancelPayment(call),
      );
    },
    undoTransact: async (manager, { params, deps, reason }) => {
      const ended = { status: 'failed', paymentId: null, declineCode: reason.code ?? null } as const;
      await noteTopUp(manager, params.topUpId, { ...ended, at: deps.clock.now() });
    },
  })
  .pointOfNoReturn('the bank is asked for the money')
  .step('charge', {
    title: 'Charging the card',
    do: async ({ params, outputs, deps }) => {
      const { paymentId } = outputs.open;
      await deps.calls.make('confirm_payment', params.topUpId, { paymentId }, (call) =>
        deps.provider.money.confirmPayment(call),
      );
      return {};
    },
    commit: async (manager, { outputs, deps }) => {
      await mirrorPayment(manager, deps, await lookAtPayment(manager, deps, outputs.open.paymentId));
    },
  })
  .build();

async function recharge({ dataSource }: CollectingDeps, id: number): Promise<TopUpRecord> {
  const topUp = await topUpById(dataSource.manager, id);
  if (!topUp) throw new Error(`there is no recharge ${id}`);
  return topUp;
}

/** The payment of a recharge whose answer was lost. */
async function findPayment(deps: CollectingDeps, id: number): Promise<string | undefined> {
  const { accountId } = await recharge(deps, id);
  const customerId = await deps.cards.customerOf(accountId);
  if (customerId === undefined) return undefined;
  const found = await deps.provider.money.findPayment({ customerId, reference: topUpReference(id) });
  return found?.paymentId;
}
