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
    <ChoiceGroup labelledBy={titleId} value={value} onChange={onChange}>
      {offers.map((offer) => (
        <Choice key={offer.server_type.id} value={offer.server_type.name} disabled={!offer.in_stock}>
          <Size offer={offer} currency={currency} />
        </Choice>
      ))}
    </ChoiceGroup>
  );
}

function Size({ offer, currency }: { offer: OfferWire; currency: string }) {
  const { server_type: size } = offer;
  return (
    <span className="flex flex-wrap items-end justify-between gap-x-6 gap-y-3">
      <span>
        <span className="flex flex-wrap items-center gap-2.5">
          <span className="font-mono font-bold">{size.name}</span>{' '}
          <span className="text-sm text-soft">{size.description}</span> <StockMark inStock={offer.in_stock} />
        </span>
        <span className="mt-1.5 block text-[0.9375rem]">
          {formatCount(size.cores, 'vCPU')}, {formatGb(size.memory)} memory, {formatGb(size.disk)} disk
        </span>
      </span>
      <span className="text-sm text-soft sm:text-right">
        <span className="text-base font-[640] text-ink tabular-nums">
          {formatHourly(offer.price_hourly.gross, currency)}
        </span>{' '}
        an hour
        <span className="block">at most {formatPrice(offer.price_monthly.gross, currency)} a month</span>
      </span>
    </span>
  );
}
