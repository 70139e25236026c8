import {
  type AccountOverview,
  type Arrears,
  type CostLine,
  type EntrySum,
  LEDGER_UNITS,
  type LedgerAccount,
  type PostedEntry,
  type PriceVersion,
  type PromotionCampaign,
  type RevenueLine,
} from '#libs/billing';
import type {
  ArrearsWire,
  BookedPriceWire,
  CostWire,
  CustomerWire,
  LedgerEntryWire,
  LedgerSumWire,
  PromotionWire,
  RevenueWire,
} from '#libs/contracts';
import { formatMicro } from '#libs/kernel';
import { wireTime, wireTimeOrNull } from '../http/wire.ts';

export function presentCustomer(account: AccountOverview): CustomerWire {
  return {
    id: account.accountId,
    email: account.email,
    name: account.name,
    currency: account.currency,
    tier: account.tier,
    billed_until: wireTime(account.billedUntil),
    open_minor: account.receivableMinor,
    overdue_minor: account.overdueMinor,
    overdue_since: wireTimeOrNull(account.overdueSince),
    credit_minor: account.creditMinor,
    disputed_minor: account.disputedMinor,
    refunds_minor: account.refundsPayableMinor,
  };
}

export function presentArrears(arrears: Arrears, account: AccountOverview): ArrearsWire {
  return {
    id: arrears.id,
    account: { id: account.accountId, email: account.email },
    since: wireTime(arrears.since),
    is_hard: arrears.isHard,
    step: arrears.step,
    next: wireTimeOrNull(arrears.nextAt),
    retry: wireTimeOrNull(arrears.retryAt),
    currency: account.currency,
    overdue_minor: account.overdueMinor,
  };
}

export function presentEntry(entry: PostedEntry): LedgerEntryWire {
  return {
    transaction_id: entry.transactionId,
    line: entry.line,
    cause: { kind: entry.causeKind, id: entry.causeId },
    posted: wireTime(entry.postedAt),
    account: entry.account,
    customer_id: entry.customerId,
    detail: entry.detail,
    currency: entry.currency,
    amount: entry.amount,
    unit: LEDGER_UNITS[entry.account],
  };
}

export function presentSum(sum: EntrySum): LedgerSumWire {
  return { ...sum, unit: LEDGER_UNITS[sum.account] };
}

/** The ledger account that a line's worth is posted to. */
export function presentRevenue(line: RevenueLine): RevenueWire {
  const account: LedgerAccount =
    line.component === 'rounding' ? 'rounding' : (`revenue_${line.component}` as LedgerAccount);
  return {
    month: line.month.toISOString().slice(0, 7),
    kind: line.component as RevenueWire['kind'],
    title: line.title,
    account,
    currency: line.currency,
    seconds: line.seconds,
    net_minor: line.netMinor,
    net: formatMicro(BigInt(line.netMicro)),
  };
}

export function presentCost({ month, account, currency, amountMinor }: CostLine): CostWire {
  return { month: month.toISOString().slice(0, 7), account, currency, amount_minor: amountMinor };
}

export function presentPromotion(campaign: PromotionCampaign, now: Date): PromotionWire {
  const { redeemUntil, redemptionsLeft } = campaign;
  const isEnded = redeemUntil !== null && redeemUntil <= now;
  return {
    code: campaign.code,
    amount_minor: campaign.amountMinor,
    currency: campaign.currency,
    note: campaign.note,
    state: isEnded ? 'ended' : redemptionsLeft === 0 ? 'used_up' : 'running',
    created: wireTime(campaign.createdAt),
    redeem_until: wireTimeOrNull(redeemUntil),
    valid_days: campaign.validDays,
    redeemed: campaign.redeemed,
    given_minor: campaign.redeemed * campaign.amountMinor,
    redemptions_left: redemptionsLeft,
  };
}

/** Every version of every price; of each item one is current. */
export function presentPrices(versions: readonly PriceVersion[], now: Date): BookedPriceWire[] {
  return versions.map((version, index) => {
    const next = versions[index + 1];
    const isReplaced = next?.item === version.item && next.effectiveFrom <= now;
    const isFuture = version.effectiveFrom > now;
    return {
      item: version.item,
      title: version.title,
      hourly: formatMicro(version.hourlyMicro),
      effective_from: version.effectiveFrom.getTime() === 0 ? null : wireTime(version.effectiveFrom),
      state: isFuture ? 'future' : isReplaced ? 'past' : 'current',
    };
  });
}
