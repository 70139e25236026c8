import { useQuery } from '@tanstack/react-query';
import { PackageOpen } from 'lucide-react';
import { catalogQuery } from '../../api/catalog.ts';
import { EmptyState } from '../../components/empty-state.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { useDocumentTitle } from '../../components/page.tsx';
import { Skeleton } from '../../components/skeleton.tsx';
import { Hero } from './hero.tsx';
import { Promises } from './promises.tsx';
import { Shelf } from './shelf.tsx';

export function CatalogPage() {
  useDocumentTitle('Servery');
  const { data, error, isPending, refetch } = useQuery(catalogQuery);
  return (
    <>
      <Hero />
      <section id="catalog" aria-labelledby="catalog-title" className="mx-auto max-w-6xl px-4 py-14 sm:px-6">
        <h2 id="catalog-title" className="text-2xl sm:text-3xl">
          What would you like?
        </h2>
        <p className="mt-2 mb-8 max-w-xl text-soft">
          Each one comes ready to use: made of Debian's own packages, booted and checked before you log in.
        </p>
        {error && !data && (
          <ErrorPanel error={error} retry={refetch} title="The catalog could not be loaded" />
        )}
        {isPending && (
          <div className="grid grid-cols-[repeat(auto-fit,minmax(min(100%,18rem),1fr))] gap-5">
            <Skeleton className="h-64" count={3} />
          </div>
        )}
        {data && data.products.length > 0 && <Shelf products={data.products} currency={data.currency} />}
        {data?.products.length === 0 && (
          <EmptyState icon={PackageOpen} title="The kitchen is being set up">
            No image has been cooked yet. Come back in a few minutes.
          </EmptyState>
        )}
      </section>
      <Promises />
    </>
  );
}
