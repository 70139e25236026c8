import type { EntityManager } from 'typeorm';
import { armRecharge } from '#libs/billing';
import type { ProviderEventsListener } from '#libs/payments';
import { collectOpenInvoices } from './collect-invoices.ts';
import type { MirrorDeps } from './collecting-deps.ts';
import { mirrorInvoice, mirrorPayment, mirrorTopUp } from './provider-books.ts';
import { mirrorDispute } from './provider-disputes.ts';
import { tellOfPayout } from './provider-payouts.ts';
import { mirrorRefund } from './provider-refunds.ts';

/**
 * An event only says where to look. What is seen there is brought into the books, each movement of money under the id
 * of the provider's object that moved it: so whatever is told twice, late, in another order or by several events at
 * once is posted once.
 */
export function invoicePaymentsListener(
  deps: MirrorDeps,
): Required<
  Pick<
    ProviderEventsListener,
    | 'onInvoice'
    | 'onPayment'
    | 'onTopUp'
    | 'onDispute'
    | 'onRefund'
    | 'onPayout'
    | 'onCardsChanged'
    | 'onCustomerDeleted'
  >
> {
  return {
    onInvoice: (manager, { invoice }) => mirrorInvoice(manager, deps, invoice),
    onPayment: (manager, { payment }) => mirrorPayment(manager, deps, payment),
    onTopUp: (manager, { topUp }) => mirrorTopUp(manager, deps, topUp),
    onDispute: (manager, { dispute }) => mirrorDispute(manager, deps, dispute),
    onRefund: (manager, { refund }) => mirrorRefund(manager, deps, refund),
    onPayout: (manager, { payout }) => tellOfPayout(manager, deps, payout),
    onCardsChanged: (manager, { accountId }) => tryNewCard(manager, deps, accountId),
    onCustomerDeleted: async (manager, { accountId }) => {
      await collectOpenInvoices(manager, deps.sagas, accountId);
    },
  };
}

/** What another card was refused for is tried with the new one: open invoices, and the recharge of credit. */
async function tryNewCard(manager: EntityManager, { sagas }: MirrorDeps, accountId: number): Promise<void> {
  const [card] = await manager.query<{ forInvoices: boolean; forCredit: boolean }[]>(
    `SELECT EXISTS (SELECT 1 FROM collections l WHERE l.account_id = c.account_id AND l.status = 'open'
                    AND l.withdrawn_at IS NULL AND l.decline_code IS NOT NULL
                    AND l.tried_card IS DISTINCT FROM c.provider_id) AS "forInvoices",
            (SELECT t.status = 'failed' AND t.tried_card IS DISTINCT FROM c.provider_id FROM top_ups t
             WHERE t.account_id = c.account_id AND t.kind = 'recharge' ORDER BY t.created_at DESC LIMIT 1) AS "forCredit"
     FROM cards c WHERE c.account_id = $1 AND c.is_default AND c.detached_at IS NULL`,
    [accountId],
  );
  if (card?.forCredit) await armRecharge(manager, accountId, true);
  if (card?.forInvoices) await collectOpenInvoices(manager, sagas, accountId);
}
