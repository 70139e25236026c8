import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { ChefHat } from 'lucide-react';
import type { RecipeSummaryWire } from '#libs/contracts';
import { recipesQuery } from '../../api/recipes.ts';
import { buttonClass } from '../../components/button.tsx';
import { EmptyState } from '../../components/empty-state.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { Page } from '../../components/page.tsx';
import { Skeleton } from '../../components/skeleton.tsx';
import { formatCount } from '../../format.ts';
import { STATUS_WORDS } from '../cooks/cook-words.ts';

export function RecipesPage() {
  const { data: recipes, error, isPending, refetch } = useQuery(recipesQuery);
  const cook = (
    <Link to="/cook" className={buttonClass()}>
      <ChefHat aria-hidden="true" className="size-4" /> Write a recipe
    </Link>
  );
  return (
    <Page
      title="Recipes"
      lead="What you have us cook: each makes images, of which you order servers."
      actions={recipes && recipes.length > 0 && cook}
    >
      {error && <ErrorPanel error={error} retry={refetch} title="Your recipes could not be loaded" />}
      {isPending && <Skeleton className="h-24" />}
      {recipes?.length === 0 && (
        <EmptyState icon={ChefHat} title="No recipes yet" action={cook}>
          Choose components and packages, add your files and a script, and have an image cooked of it.
        </EmptyState>
      )}
      {recipes && recipes.length > 0 && (
        <ul
          aria-label="Recipes"
          className="divide-y divide-line rounded-card border border-line bg-surface shadow-card"
        >
          {recipes.map((recipe) => (
            <RecipeRow key={recipe.id} recipe={recipe} />
          ))}
        </ul>
      )}
    </Page>
  );
}

function RecipeRow({ recipe }: { recipe: RecipeSummaryWire }) {
  const { id, title, summary, version, base, components, packages, newest_cook: cook, image } = recipe;
  return (
    <li className="flex flex-wrap items-start justify-between gap-4 p-4 sm:px-5">
      <div className="min-w-0">
        <Link
          to="/recipes/$recipeId"
          params={{ recipeId: id }}
          className="font-[600] underline decoration-line-strong underline-offset-4"
        >
          {title}
        </Link>
        {summary && <p className="text-[0.9375rem] text-soft">{summary}</p>}
        <p className="mt-1 text-sm text-soft">
          Version {version} · {base}, {formatCount(components.length, 'component')},{' '}
          {formatCount(packages.length, 'package')}
        </p>
      </div>
      <div className="flex flex-wrap items-center gap-3">
        {cook ? (
          <Link
            to="/cooks/$cookId"
            params={{ cookId: cook.id }}
            className="text-sm text-soft underline decoration-line-strong underline-offset-4 hover:text-ink"
          >
            {STATUS_WORDS[cook.status]}
            <span className="sr-only">: the newest cook of {title}</span>
          </Link>
        ) : (
          <span className="text-sm text-soft">Not cooked yet</span>
        )}
        {image !== null && (
          <Link
            to="/configure/$name"
            params={{ name: String(image) }}
            className={buttonClass('primary', 'small')}
          >
            Order<span className="sr-only"> a server of {title}</span>
          </Link>
        )}
      </div>
    </li>
  );
}
