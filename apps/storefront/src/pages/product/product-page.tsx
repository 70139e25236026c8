import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { ChevronLeft } from 'lucide-react';
import type { ProductWire } from '#libs/contracts';
import { catalogQuery } from '../../api/catalog.ts';
import { buttonClass } from '../../components/button.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { Page } from '../../components/page.tsx';
import { ProductIcon } from '../../components/product-icon.tsx';
import { Section } from '../../components/section.tsx';
import { Skeleton } from '../../components/skeleton.tsx';
import { formatCount, formatDate, formatGb } from '../../format.ts';
import { defaultOffer } from '../../offers.ts';
import { NotFoundPage } from '../fallback-pages.tsx';
import { OfferTable } from './offer-table.tsx';

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
      <Link
        to="/"
        className="mb-6 inline-flex items-center gap-1 text-sm text-soft hover:text-ink hover:underline"
      >
        <ChevronLeft aria-hidden="true" className="size-4" /> Catalog
      </Link>
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
          <div className="grid max-w-prose gap-4">
            {product.description.split(/\n\s*\n/).map((paragraph) => (
              <p key={paragraph}>{paragraph}</p>
            ))}
          </div>
        </Section>
      </div>
      <WhatIsInside product={product} />
    </div>
  );
}

function WhatIsInside({ product }: { product: ProductWire }) {
  const system = [product.os_flavor, product.os_version].filter(Boolean).join(' ');
  const facts = [
    ['System', system.charAt(0).toUpperCase() + system.slice(1)],
    ['Contents', formatCount(product.packages_count, 'package')],
    ['Needs at least', `${formatGb(product.min_memory_gb)} memory, ${formatGb(product.min_disk_gb)} disk`],
    ['Licence', product.licence],
    ['Image of', formatDate(product.cooked_at)],
  ];
  return (
    <Section title="What is inside">
      <dl className="divide-y divide-line border-y border-line text-[0.9375rem]">
        {facts.map(([label, value]) => (
          <div key={label} className="flex justify-between gap-4 py-3">
            <dt className="text-soft">{label}</dt>
            <dd className="text-right font-medium">{value}</dd>
          </div>
        ))}
      </dl>
      <h3 className="mt-8 text-base">Open ports</h3>
      <ul className="mt-3 flex flex-wrap gap-2">
        {product.ports.map((port) => (
          <li
            key={`${port.protocol}${port.port}`}
            className="rounded-control border border-line bg-surface px-3 py-1.5 text-sm"
          >
            <span className="font-medium">{port.name}</span>{' '}
            <span className="font-mono text-soft">{port.port}</span>
          </li>
        ))}
      </ul>
      {product.secrets.length > 0 && (
        <>
          <h3 className="mt-8 text-base">Made for your server alone</h3>
          <p className="mt-2 text-[0.9375rem] text-soft">
            {product.secrets.map(({ title }) => title).join(', ')}: shown to you once when it is ready.
            Nothing that it protects listens before it is set.
          </p>
        </>
      )}
    </Section>
  );
}
