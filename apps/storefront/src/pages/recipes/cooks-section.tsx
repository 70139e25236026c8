import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { recipeCooksQuery } from '../../api/recipes.ts';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { Section } from '../../components/section.tsx';
import { Skeleton } from '../../components/skeleton.tsx';
import { Time } from '../../components/time.tsx';
import { standingOf } from '../cooks/cook-words.ts';

/** Every time that the recipe was cooked, the newest first. */
export function CooksSection({ recipeId }: { recipeId: number }) {
  const { data: cooks, error, refetch } = useQuery(recipeCooksQuery(recipeId));
  return (
    <Section title="Cooked so far">
      {error && <ErrorPanel error={error} retry={refetch} />}
      {!cooks && !error && <Skeleton className="h-24" />}
      {cooks?.length === 0 && <p className="text-soft">Not once yet.</p>}
      {cooks && cooks.length > 0 && (
        <ul
          aria-label="Cooks"
          className="divide-y divide-line rounded-card border border-line bg-surface shadow-card"
        >
          {cooks.map((cook) => (
            <li key={cook.id} className="flex flex-wrap items-center justify-between gap-x-4 gap-y-1 p-4">
              <Link
                to="/cooks/$cookId"
                params={{ cookId: cook.id }}
                className="font-[600] underline decoration-line-strong underline-offset-4"
              >
                Version {cook.recipe.version}, <Time at={cook.created} />
              </Link>
              <span className="text-sm text-soft">{standingOf(cook)}</span>
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}
