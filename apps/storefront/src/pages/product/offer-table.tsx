import { Link } from '@tanstack/react-router';
import type { OfferWire, ProductWire } from '#libs/contracts';
import { buttonClass } from '../../components/button.tsx';
import { StockMark } from '../../components/stock-mark.tsx';
import { formatCount, formatGb, formatHourly, formatPrice } from '../../format.ts';

export function OfferTable({ product, currency }: { product: ProductWire; currency: string }) {
  return (
    <ul className="divide-y divide-line overflow-hidden rounded-card border border-line bg-surface shadow-card">
      {product.offers.map((offer) => (
        <OfferRow key={offer.server_type.id} product={product} offer={offer} currency={currency} />
      ))}
    </ul>
  );
}

function OfferRow({
  product,
  offer,
  currency,
}: {
  product: ProductWire;
  offer: OfferWire;
  currency: string;
}) {
  const { server_type: size } = offer;
  return (
    <li className="grid items-center gap-x-6 gap-y-3 p-4 sm:grid-cols-[1fr_auto_5.5rem] sm:p-5">
      <div>
        <div className="flex flex-wrap items-center gap-2.5">
          <h3 className="font-mono text-base font-bold tracking-normal">{size.name}</h3>
          <span className="text-sm text-soft">{size.description}</span>
          <StockMark inStock={offer.in_stock} />
        </div>
        <p className="mt-1 text-sm text-soft">
          {formatCount(size.cores, 'vCPU')} · {formatGb(size.memory)} memory · {formatGb(size.disk)} disk
        </p>
      </div>
      <p className="sm:text-right">
        <span className="font-[640] tabular-nums">{formatHourly(offer.price_hourly.gross, currency)}</span>
        <span className="text-sm text-soft"> an hour</span>
        <span className="block text-sm text-soft max-sm:inline">
          <span className="sm:hidden">, </span>at most {formatPrice(offer.price_monthly.gross, currency)} a
          month
        </span>
      </p>
      {offer.in_stock ? (
        <Link
          to="/configure/$name"
          params={{ name: product.name }}
          search={{ type: size.name }}
          className={buttonClass('secondary')}
          aria-label={`Choose ${size.name}`}
        >
          Choose
        </Link>
      ) : (
        <span className="text-sm text-soft sm:text-center">Back soon</span>
      )}
    </li>
  );
}
