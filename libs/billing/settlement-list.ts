import type { EntityManager } from 'typeorm';
import type { SettlementKind } from './settlements.ts';

/** What has become of an invoice: a payment, credit, a note. Below zero where it was opened again. */
export interface InvoiceSettlement {
  readonly kind: SettlementKind;
  readonly causeId: string;
  readonly amountMinor: number;
  readonly settledAt: Date;
}

/** In the order in which they happened. */
export function invoiceSettlements(manager: EntityManager, invoiceId: number): Promise<InvoiceSettlement[]> {
  return manager.query<InvoiceSettlement[]>(
    `SELECT kind, cause_id AS "causeId", amount_minor AS "amountMinor", settled_at AS "settledAt"
     FROM invoice_settlements WHERE invoice_id = $1 ORDER BY settled_at, cause_id`,
    [invoiceId],
  );
}
