import type { OfferWire } from '#libs/contracts';
import { Choice, ChoiceGroup } from '../../components/choice.tsx';
import { StockMark } from '../../components/stock-mark.tsx';
import { formatCount, formatGb, formatHourly, formatPrice } from '../../format.ts';

interface SizeChooserProps {
  readonly titleId: string;
  readonly offers: readonly OfferWire[];
  readonly currency: string;
  readonly value: string;
  readonly onChange: (serverType: string) => void;
}

export function SizeChooser({ titleId, offers, currency, value, onChange }: SizeChooserProps) {
  return (
    <ChoiceGroup labelledBy={titleId} value={value} onChange={onChange} className="grid gap-3 sm:grid-cols-2">
      {offers.map(({ server_type: size, ...offer }) => (
        <Choice key={size.id} value={size.name} disabled={!offer.in_stock}>
          <span className="flex flex-wrap items-center justify-between gap-2">
            <span>
              <span className="font-mono font-bold">{size.name}</span>{' '}
              <span className="text-sm text-soft">{size.description}</span>
            </span>
            <StockMark inStock={offer.in_stock} />
          </span>
          <span className="mt-2 block text-[0.9375rem]">
            {formatCount(size.cores, 'vCPU')}, {formatGb(size.memory)} memory
            <span className="block text-soft">{formatGb(size.disk)} disk</span>
          </span>
          <span className="mt-3 block text-sm text-soft">
            <span className="text-base font-[640] text-ink tabular-nums">
              {formatHourly(offer.price_hourly.gross, currency)}
            </span>{' '}
            an hour, at most {formatPrice(offer.price_monthly.gross, currency)} a month
          </span>
        </Choice>
      ))}
    </ChoiceGroup>
  );
}
