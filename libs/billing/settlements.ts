import type { EntityManager } from 'typeorm';
import { type LedgerTransaction, post } from './ledger.ts';

export type SettlementKind = 'credit' | 'payment' | 'credit_note' | 'write_off' | 'dispute';

export interface Settlement extends LedgerTransaction {
  readonly invoiceId: number;
  readonly kind: SettlementKind;
  /** Below zero where it opens the invoice again. */
  readonly amountMinor: number;
}

/**
 * Posts what becomes of an invoice and notes it there. The caller holds the account's books for `money`.
 * @returns false when its cause has been posted already
 */
export async function settle(manager: EntityManager, settlement: Settlement): Promise<boolean> {
  if (!(await post(manager, settlement))) return false;
  await manager.query(
    `INSERT INTO invoice_settlements (invoice_id, kind, cause_id, amount_minor, settled_at)
     VALUES ($1, $2, $3, $4, $5)`,
    [settlement.invoiceId, settlement.kind, settlement.cause.id, settlement.amountMinor, settlement.at],
  );
  return true;
}
