import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { ChevronLeft } from 'lucide-react';
import type { CookWire } from '#libs/contracts';
import { ApiError } from '../../api/client.ts';
import { cookLogQuery, cookQuery, isCooking } from '../../api/recipes.ts';
import { buttonClass } from '../../components/button.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { Page } from '../../components/page.tsx';
import { Printed } from '../../components/printed.tsx';
import { Section } from '../../components/section.tsx';
import { Skeleton } from '../../components/skeleton.tsx';
import { NotFoundPage } from '../fallback-pages.tsx';
import { CookEnd } from './cook-end.tsx';
import { CookProgress } from './cook-progress.tsx';
import { STATUS_WORDS } from './cook-words.ts';
import { Cooked } from './cooked.tsx';

export function CookPage() {
  const { cookId } = useParams({ from: '/cooks/$cookId' });
  const { data: cook, error, refetch } = useQuery(cookQuery(cookId));
  if (error instanceof ApiError && error.status === 404) return <NotFoundPage />;
  return (
    <Page
      title={cook ? `${STATUS_WORDS[cook.status]}: ${cook.recipe.name}` : 'A cook'}
      lead={cook && `Version ${cook.recipe.version} of the recipe.`}
      above={cook && <WayBack cook={cook} />}
      actions={cook?.status === 'available' && cook.image !== null && <OrderLink image={cook.image} />}
    >
      {error && !cook && <ErrorPanel error={error} retry={refetch} />}
      {!cook && !error && <Skeleton className="h-96" />}
      {cook && (
        <div className="grid grid-cols-[minmax(0,1fr)] gap-12">
          {isCooking(cook) && <CookProgress cook={cook} />}
          {(cook.status === 'failed' || cook.status === 'cancelled') && <CookEnd cook={cook} />}
          {cook.status === 'available' && <Cooked cook={cook} />}
          <CookLog cook={cook} />
        </div>
      )}
    </Page>
  );
}

function WayBack({ cook: { recipe } }: { cook: CookWire }) {
  return (
    <Link
      to="/recipes/$recipeId"
      params={{ recipeId: recipe.id }}
      className="mb-6 inline-flex items-center gap-1 text-sm text-soft hover:text-ink hover:underline"
    >
      <ChevronLeft aria-hidden="true" className="size-4" /> The recipe {recipe.name}
    </Link>
  );
}

function OrderLink({ image }: { image: number }) {
  return (
    <Link to="/configure/$name" params={{ name: String(image) }} className={buttonClass('primary', 'large')}>
      Order a server
    </Link>
  );
}

/** What the kitchen prints, while it does. */
function CookLog({ cook }: { cook: CookWire }) {
  const { data: log } = useQuery(cookLogQuery(cook.id));
  if (!log || (log.text === '' && log.isEnd)) return null;
  return (
    <Section title="From the kitchen" hint={isCooking(cook) ? 'As it is printed.' : undefined}>
      <Printed label="What the cook printed" printed={log} />
    </Section>
  );
}
