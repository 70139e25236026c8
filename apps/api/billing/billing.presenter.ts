import type { BillingProfile, CreditLot, MonthSpending, UsageKey, UsageSum } from '#libs/billing';
import type { BillingProfileWire, CreditWire, ForecastWire, UsageWire } from '#libs/contracts';
import { formatMicro } from '#libs/kernel';
import { wireTime, wireTimeOrNull } from '../http/wire.ts';

export function presentProfile(profile: BillingProfile | undefined): BillingProfileWire | null {
  if (!profile) return null;
  const { name, address, country, vatId } = profile;
  return { name, address, country, vat_id: vatId };
}

export function presentUsage(sum: UsageSum, by: ReadonlySet<UsageKey>): UsageWire {
  return {
    day: sum.day && wireDay(sum.day),
    server: sum.server,
    kind: sum.component,
    seconds: by.has('kind') ? sum.seconds : null,
    net: formatMicro(sum.amountMicro),
  };
}

export function presentForecast(
  currency: string,
  spent: MonthSpending,
  forecast: MonthSpending,
): ForecastWire {
  return {
    currency,
    month: wireDay(forecast.month).slice(0, 7),
    so_far: { ...amountsOf(spent), invoiced_minor: spent.invoicedMinor },
    forecast: amountsOf(forecast),
  };
}

export function presentCredit(lot: CreditLot): CreditWire {
  return {
    id: lot.id,
    source: lot.source,
    note: lot.note,
    currency: lot.currency,
    amount_minor: lot.amountMinor,
    remaining_minor: lot.remainingMinor,
    granted: wireTime(lot.grantedAt),
    expires: wireTimeOrNull(lot.expiresAt),
  };
}

function amountsOf({ netMinor, taxMinor, totalMinor }: MonthSpending) {
  return { net_minor: netMinor, tax_minor: taxMinor, total_minor: totalMinor };
}

/** A day of UTC. */
export function wireDay(moment: Date): string {
  return moment.toISOString().slice(0, 10);
}
