import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { ChefHat, SearchX } from 'lucide-react';
import type { ReactNode } from 'react';
import type { ProductWire } from '#libs/contracts';
import { categoriesOf, findProducts } from '../../catalog-search.ts';
import { Button, buttonClass } from '../../components/button.tsx';
import { EmptyState } from '../../components/empty-state.tsx';
import { SearchField } from '../../components/search-field.tsx';
import { formatCount } from '../../format.ts';
import { ProductCard } from './product-card.tsx';

/** The products, by category and by what one types; both stand in the address, so that a choice can be passed on. */
export function Shelf({ products, currency }: { products: readonly ProductWire[]; currency: string }) {
  const { category, q: text } = useSearch({ from: '/' });
  const navigate = useNavigate({ from: '/' });
  const found = findProducts(products, { text, category });
  const isNarrowed = category !== undefined || text !== undefined;
  const look = (search: { category?: string | undefined; q?: string | undefined }) =>
    void navigate({ search, replace: true, resetScroll: false });
  return (
    <>
      <div className="mb-6 grid gap-4 lg:grid-cols-[minmax(0,1fr)_20rem] lg:items-start">
        <Categories products={products} text={text} />
        <SearchField
          label="Find in the catalog"
          value={text ?? ''}
          onChange={(q) => look({ category, q: q === '' ? undefined : q })}
        />
      </div>
      <p role="status" className="sr-only">
        {isNarrowed && `${formatCount(found.length, 'product')} found`}
      </p>
      {found.length > 0 ? (
        <div className="grid grid-cols-[repeat(auto-fill,minmax(min(100%,18rem),1fr))] gap-5">
          {found.map((product) => (
            <ProductCard key={product.name} product={product} currency={currency} />
          ))}
          <OwnCard />
        </div>
      ) : (
        <EmptyState
          icon={SearchX}
          title="Nothing like it on the shelf"
          action={
            <div className="flex flex-wrap justify-center gap-2">
              <Button look="secondary" onClick={() => look({})}>
                Show everything
              </Button>
              <Link to="/cook" className={buttonClass()}>
                Cook your own
              </Link>
            </div>
          }
        >
          Try another word, or have an image cooked of just what you need.
        </EmptyState>
      )}
    </>
  );
}

interface CategoriesProps {
  readonly products: readonly ProductWire[];
  readonly text: string | undefined;
}

function Categories({ products, text }: CategoriesProps) {
  return (
    <nav aria-label="Categories" className="-mx-4 overflow-x-auto px-4 py-0.5 sm:mx-0 sm:px-0.5">
      <ul className="flex gap-2 lg:flex-wrap">
        <Chip category={undefined} text={text}>
          All <Count>{products.length}</Count>
        </Chip>
        {categoriesOf(products).map(({ name, title, count }) => (
          <Chip key={name} category={name} text={text}>
            {title} <Count>{count}</Count>
          </Chip>
        ))}
      </ul>
    </nav>
  );
}

interface ChipProps {
  readonly category: string | undefined;
  readonly text: string | undefined;
  readonly children: ReactNode;
}

function Chip({ category, text, children }: ChipProps) {
  return (
    <li>
      <Link
        to="/"
        search={{ category, q: text }}
        replace
        resetScroll={false}
        activeOptions={{ exact: true }}
        className="inline-flex min-h-10 items-center gap-2 rounded-full border border-line-strong/60 bg-surface px-4 text-[0.9375rem] font-medium whitespace-nowrap text-ink transition-colors hover:border-ink/60 [&.active]:border-brand [&.active]:bg-brand [&.active]:text-on-brand"
      >
        {children}
      </Link>
    </li>
  );
}

function Count({ children }: { children: number }) {
  return <span className="text-sm font-normal tabular-nums opacity-75">{children}</span>;
}

/** What is not on the shelf can be made. */
function OwnCard() {
  return (
    <div className="group relative flex flex-col rounded-card border border-dashed border-line-strong p-6 transition-colors hover:border-brand has-focus-visible:outline-2 has-focus-visible:outline-focus">
      <ChefHat aria-hidden="true" className="size-12 text-brand" strokeWidth={1.25} />
      <h3 className="mt-5 text-xl">
        <Link to="/cook" className="outline-none after:absolute after:inset-0 after:rounded-card">
          Cook your own
        </Link>
      </h3>
      <p className="mt-2 text-[0.9375rem] text-soft">
        Choose components and packages, add your files and a script. We cook an image of it, and you order as
        many servers of it as you like, or take it home.
      </p>
    </div>
  );
}
