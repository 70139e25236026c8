import { creditAccount } from '#libs/billing';
import { newId } from '#libs/kernel';
import { sagaOfOrder } from '#libs/orders';
import type { PaymentsListener } from '#libs/payments';
import type { SagaStore } from '#libs/saga';

/** What follows from a payment: captured money is the account's credit, and the order's saga need not wait on. */
export function orderPaymentsListener(sagas: SagaStore): PaymentsListener {
  return {
    onCaptured: (manager, { accountId, amountMinor, currency, providerId }) =>
      creditAccount(manager, {
        accountId,
        amountMinor,
        currency,
        cause: 'hold_captured',
        causeId: providerId,
      }),
    // A hold may be refunded in parts; each is told once, so each is a cause of its own.
    onRefunded: (manager, { accountId, amountMinor, currency, providerId }) =>
      creditAccount(manager, {
        accountId,
        amountMinor: -amountMinor,
        currency,
        cause: 'hold_refunded',
        causeId: `${providerId}/${newId()}`,
      }),
    onHoldChanged: async (manager, { orderId }) => {
      const sagaId = await sagaOfOrder(manager, orderId);
      if (sagaId !== undefined) await sagas.wake(manager, sagaId);
    },
  };
}
