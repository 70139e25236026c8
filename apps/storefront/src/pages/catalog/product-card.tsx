import { Link } from '@tanstack/react-router';
import { ArrowRight } from 'lucide-react';
import type { ProductWire } from '#libs/contracts';
import { ProductIcon } from '../../components/product-icon.tsx';
import { StockMark } from '../../components/stock-mark.tsx';
import { formatPrice } from '../../format.ts';
import { cheapestOffer } from '../../offers.ts';

export function ProductCard({ product, currency }: { product: ProductWire; currency: string }) {
  const cheapest = cheapestOffer(product.offers);
  return (
    <article className="group relative flex flex-col rounded-card border border-line bg-surface p-6 shadow-card transition-colors hover:border-line-strong has-focus-visible:outline-2 has-focus-visible:outline-focus">
      <div className="flex items-start justify-between">
        <ProductIcon svg={product.icon_svg} />
        <StockMark inStock={product.offers.some((offer) => offer.in_stock)} />
      </div>
      <h3 className="mt-5 text-xl">
        <Link
          to="/products/$name"
          params={{ name: product.name }}
          className="outline-none after:absolute after:inset-0 after:rounded-card"
        >
          {product.title}
        </Link>
      </h3>
      <p className="mt-2 flex-1 text-[0.9375rem] text-soft">{product.summary}</p>
      <div className="mt-6 flex items-end justify-between border-t border-line pt-4">
        {cheapest ? (
          <p className="text-sm text-soft">
            from{' '}
            <span className="text-lg font-[640] text-ink tabular-nums">
              {formatPrice(cheapest.price_monthly.gross, currency)}
            </span>{' '}
            a month
          </p>
        ) : (
          <p className="text-sm text-soft">No size on offer</p>
        )}
        <ArrowRight
          aria-hidden="true"
          className="size-5 text-soft transition-transform group-hover:translate-x-1 group-hover:text-brand"
        />
      </div>
    </article>
  );
}
