import { creditPayment, takeBackPayment } from '#libs/billing';
import { newId } from '#libs/kernel';
import { sagaOfOrder } from '#libs/orders';
import type { PaymentsListener } from '#libs/payments';
import type { MirrorDeps } from './collecting-deps.ts';
import { invoicePaymentsListener } from './invoice-payments.listener.ts';

/** What follows from a payment: captured money is the account's credit, and the order's saga need not wait on. */
export function orderPaymentsListener({
  sagas,
  clock,
}: Pick<MirrorDeps, 'sagas' | 'clock'>): PaymentsListener {
  return {
    onCaptured: async (manager, { accountId, amountMinor, currency, providerId }) => {
      const cause = { kind: 'hold_captured', id: providerId };
      await creditPayment(manager, { accountId, amountMinor, currency, cause, at: clock.now() });
    },
    // A hold may be refunded in parts; each is told once, so each is a cause of its own.
    onRefunded: async (manager, { accountId, amountMinor, currency, providerId }) => {
      const cause = { kind: 'hold_refunded', id: `${providerId}/${newId()}` };
      await takeBackPayment(manager, { accountId, amountMinor, currency, cause, at: clock.now() });
    },
    onHoldChanged: async (manager, { orderId }) => {
      const sagaId = await sagaOfOrder(manager, orderId);
      if (sagaId !== undefined) await sagas.wake(manager, sagaId);
    },
  };
}

/** All that follows from money that moves, whatever it moves for. */
export function moneyListener(deps: MirrorDeps): PaymentsListener {
  return { ...orderPaymentsListener(deps), ...invoicePaymentsListener(deps) };
}
