import { Link } from '@tanstack/react-router';
import { ArrowRight, BadgeCheck } from 'lucide-react';
import type { ProductWire } from '#libs/contracts';
import { categoryTitle } from '../../catalog-search.ts';
import { ProductIcon } from '../../components/product-icon.tsx';
import { StockMark } from '../../components/stock-mark.tsx';
import { formatCount, formatDay, formatPrice } from '../../format.ts';
import { cheapestOffer } from '../../offers.ts';

export function ProductCard({ product, currency }: { product: ProductWire; currency: string }) {
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
      <p className="mt-5 text-sm text-soft">
        {categoryTitle(product.category)} · {formatCount(product.packages_count, 'package')}
      </p>
      {product.verified_at && (
        <p className="mt-1 flex items-center gap-1.5 text-sm text-soft">
          <BadgeCheck aria-hidden="true" className="size-4 text-brand" />
          Verified {formatDay(product.verified_at)}
        </p>
      )}
      <div className="mt-4 flex items-end justify-between border-t border-line pt-4">
        <FromPrice product={product} currency={currency} />
        <ArrowRight
          aria-hidden="true"
          className="size-5 text-soft transition-transform group-hover:translate-x-1 group-hover:text-brand"
        />
      </div>
    </article>
  );
}

function FromPrice({ product, currency }: { product: ProductWire; currency: string }) {
  const cheapest = cheapestOffer(product.offers);
  if (!cheapest) return <p className="text-sm text-soft">No size on offer</p>;
  return (
    <p className="text-sm text-soft">
      from{' '}
      <span className="text-lg font-[640] text-ink tabular-nums">
        {formatPrice(cheapest.price_monthly.gross, currency)}
      </span>{' '}
      a month
    </p>
  );
}
