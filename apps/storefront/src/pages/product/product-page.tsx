import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { ChevronLeft } from 'lucide-react';
import type { ProductWire } from '#libs/contracts';
import { catalogQuery } from '../../api/catalog.ts';
import { categoryTitle } from '../../catalog-search.ts';
import { buttonClass } from '../../components/button.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { Page } from '../../components/page.tsx';
import { ProductIcon } from '../../components/product-icon.tsx';
import { Prose } from '../../components/prose.tsx';
import { Section } from '../../components/section.tsx';
import { Skeleton } from '../../components/skeleton.tsx';
import { defaultOffer } from '../../offers.ts';
import { NotFoundPage } from '../fallback-pages.tsx';
import { HandingOver } from './handing-over.tsx';
import { OfferTable } from './offer-table.tsx';
import { ProductContents } from './product-contents.tsx';
import { ProductFacts } from './product-facts.tsx';

export function ProductPage() {
  const { name } = useParams({ from: '/products/$name' });
  const { data, error, refetch } = useQuery(catalogQuery);
  const product = data?.products.find((one) => one.name === name);
  if (data && !product) return <NotFoundPage />;
  if (error && !data)
    return (
      <Page title="Product" narrow>
        <ErrorPanel error={error} retry={refetch} />
      </Page>
    );
  return (
    <Page
      title={product?.title ?? 'Product'}
      lead={product?.summary}
      above={<ProductHead product={product} />}
      actions={product && <ConfigureLink product={product} />}
    >
      {product && data ? (
        <ProductBody product={product} currency={data.currency} />
      ) : (
        <Skeleton className="h-72" />
      )}
    </Page>
  );
}

function ProductHead({ product }: { product: ProductWire | undefined }) {
  return (
    <>
      <nav
        aria-label="Way back"
        className="mb-6 flex flex-wrap items-center gap-x-2 gap-y-1 text-sm text-soft"
      >
        <Link to="/" className="inline-flex items-center gap-1 hover:text-ink hover:underline">
          <ChevronLeft aria-hidden="true" className="size-4" /> Catalog
        </Link>
        {product && (
          <>
            <span aria-hidden="true">/</span>
            <Link
              to="/"
              search={{ category: product.category }}
              hash="catalog"
              className="hover:text-ink hover:underline"
            >
              {categoryTitle(product.category)}
            </Link>
          </>
        )}
      </nav>
      {product && <ProductIcon svg={product.icon_svg} className="mb-5 size-16" />}
    </>
  );
}

function ConfigureLink({ product }: { product: ProductWire }) {
  const offer = defaultOffer(product.offers);
  if (!offer?.in_stock) return null;
  return (
    <Link
      to="/configure/$name"
      params={{ name: product.name }}
      search={{ type: offer.server_type.name }}
      className={buttonClass('primary', 'large')}
    >
      Configure yours
    </Link>
  );
}

function ProductBody({ product, currency }: { product: ProductWire; currency: string }) {
  return (
    <div className="grid grid-cols-[minmax(0,1fr)] gap-12 lg:grid-cols-[minmax(0,1fr)_20rem]">
      <div className="grid content-start gap-12">
        <Section
          title="Sizes and prices"
          hint="Billed by the hour, never more in a month than the monthly price."
        >
          <OfferTable product={product} currency={currency} />
        </Section>
        <Section title="About it">
          <Prose text={product.description} />
          <Screenshot product={product} />
        </Section>
        <HandingOver product={product} />
      </div>
      <ProductFacts product={product} />
      <div className="lg:col-span-2">
        <ProductContents product={product} />
      </div>
    </div>
  );
}

/** How a server of it looks; its room is kept while it loads. */
function Screenshot({ product: { title, screenshot } }: { product: ProductWire }) {
  if (!screenshot) return null;
  return (
    <figure className="mt-6 overflow-hidden rounded-card border border-line bg-surface shadow-card">
      <img
        src={screenshot.url}
        width={screenshot.width}
        height={screenshot.height}
        loading="lazy"
        alt={`A server of ${title}, as a browser shows it`}
        className="h-auto w-full"
      />
    </figure>
  );
}
