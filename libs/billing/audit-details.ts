import { formatMicro } from '#libs/kernel';
import type { CreditNote } from './credit-notes.ts';
import type { PromotionCode } from './promotions.ts';

/** What the audit says of what is done about money: the same, whether the API or the command did it. */

/** @param change.fromMicro what an hour cost until then; null for a first price */
export function priceChangeDetail(change: {
  readonly fromMicro: number | null;
  readonly hourlyMicro: number;
  readonly effectiveFrom: Date;
}) {
  const { fromMicro, hourlyMicro, effectiveFrom } = change;
  return {
    from: fromMicro === null ? null : hourly(fromMicro),
    to: hourly(hourlyMicro),
    since: effectiveFrom.toISOString(),
  };
}

export function creditNoteDetail(note: CreditNote) {
  return {
    invoice_id: note.invoiceId,
    amount_minor: note.totalMinor,
    refund_minor: note.refundMinor,
    refund_to: note.refundTo,
    reason: note.reason,
  };
}

export function promotionDetail(promotion: PromotionCode) {
  return {
    amount_minor: promotion.amountMinor,
    currency: promotion.currency,
    note: promotion.note,
    redeem_until: promotion.redeemUntil?.toISOString() ?? null,
    valid_days: promotion.validDays ?? null,
    redemptions: promotion.redemptions ?? null,
  };
}

/** Decimals of the major unit, down to millionths of the minor one. */
function hourly(micro: number): string {
  return formatMicro(micro).slice(0, -2);
}
