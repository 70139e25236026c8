import type { EntityManager } from 'typeorm';
import { lockBooks } from './billing-accounts.ts';
import { refundsPayableMinor } from './collected.ts';
import { addLot } from './credit.ts';
import { credit, debit, isPosted, post } from './ledger.ts';

/** A refund to a card that came back from its bank. */
export interface FailedRefund {
  readonly accountId: number;
  readonly currency: string;
  readonly amountMinor: number;
  /** The provider's. */
  readonly refundId: string;
  /** Ours, where it was sent for a credit note; 0 otherwise. */
  readonly cardRefundId: number;
  readonly at: Date;
}

/**
 * What a credit note promised to a card that did not take it becomes the account's credit, which does not expire. A refund
 * that was made by hand at the provider was promised by nobody: it leaves the books as if it had not been made. Call
 * it after the payment has been brought into the books, as often as it is told.
 * @returns what is credit now because of it, in minor units
 */
export async function creditFailedRefund(manager: EntityManager, failed: FailedRefund): Promise<number> {
  const { accountId: customerId, currency, refundId, cardRefundId, at } = failed;
  await lockBooks(manager, customerId, 'money', currency);
  const [[promised]] = await manager.query<[{ amountMinor: number }[], number]>(
    `UPDATE card_refunds SET provider_id = $2, sent_at = coalesce(sent_at, $3)
     WHERE id = $1 OR provider_id = $2 RETURNING amount_minor AS "amountMinor"`,
    [cardRefundId, refundId, at],
  );
  if (!promised) return 0;
  const cause = { kind: 'refund_failed', id: refundId };
  if (await isPosted(manager, cause)) return promised.amountMinor;
  const owedMinor = Math.max(0, await refundsPayableMinor(manager, customerId, currency));
  const amountMinor = Math.min(promised.amountMinor, owedMinor);
  if (amountMinor === 0) return 0;
  const of = { customerId };
  const entries = [debit('refunds_payable', amountMinor, of), credit('customer_credit', amountMinor, of)];
  await post(manager, { cause, at, currency, entries });
  const lot = { accountId: customerId, currency, amountMinor, at, cause, source: 'refund' as const };
  await addLot(manager, { ...lot, note: 'A refund that your card did not take' });
  return amountMinor;
}
