import type { CostWire } from '#libs/contracts';
import { formatMinor, formatMonth } from '../../format.ts';
import { EntriesLink } from './entries-link.tsx';

const WORDS: Readonly<Record<string, string>> = {
  payment_fees: 'Payment fees',
  promotions: 'Credit given away',
  refunds: 'Given back',
  write_offs: 'Written off',
  stripe_adjustments: 'Moved by the payment provider',
};

/** What a month has cost, by account; nothing where it has cost nothing. */
export function Costs({ month, costs }: { month: string; costs: readonly CostWire[] }) {
  if (costs.length === 0) return null;
  return (
    <dl className="mt-4 flex flex-wrap gap-x-8 gap-y-3" aria-label={`Costs of ${formatMonth(month)}`}>
      {costs.map(({ account, currency, amount_minor: amount }) => (
        <div key={`${account} ${currency}`}>
          <dt className="text-sm text-soft">{WORDS[account] ?? account}</dt>
          <dd className="font-medium">
            <EntriesLink
              of={{ account, from: `${month}-01`, until: `${monthAfter(month)}-01` }}
              label={`${WORDS[account] ?? account} ${formatMinor(amount, currency)}: entries of ${account}, ${formatMonth(month)}`}
            >
              {formatMinor(amount, currency)}
            </EntriesLink>
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** `2026-12` is followed by `2027-01`. */
function monthAfter(month: string): string {
  const [year = 0, index = 1] = month.split('-').map(Number);
  return new Date(Date.UTC(year, index)).toISOString().slice(0, 7);
}
