import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { ChevronLeft } from 'lucide-react';
import { useState } from 'react';
import type { RecipeWire } from '#libs/contracts';
import { ApiError } from '../../api/client.ts';
import { recipeQuery } from '../../api/recipes.ts';
import { Button } from '../../components/button.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { Notice } from '../../components/notice.tsx';
import { Page } from '../../components/page.tsx';
import { Skeleton } from '../../components/skeleton.tsx';
import { clearRecipeDraft, readRecipeDraft, saveRecipeDraft } from '../../recipe/recipe-draft.ts';
import { NotFoundPage } from '../fallback-pages.tsx';
import { CookButtons } from './cook-buttons.tsx';
import { CooksSection } from './cooks-section.tsx';
import { DeleteRecipeDialog } from './delete-recipe-dialog.tsx';
import { useSaving } from './use-saving.ts';
import { useWorkbench } from './use-workbench.ts';
import { VersionsSection } from './versions-section.tsx';
import { WorkbenchView } from './workbench-view.tsx';

export function RecipePage() {
  const { recipeId } = useParams({ from: '/recipes/$recipeId' });
  const { data: recipe, error, refetch } = useQuery(recipeQuery(recipeId));
  if (error instanceof ApiError && error.status === 404) return <NotFoundPage />;
  if (recipe) return <RecipeAtWork key={recipe.id} recipe={recipe} />;
  return (
    <Page title="Recipe">
      {error ? <ErrorPanel error={error} retry={refetch} /> : <Skeleton className="h-96" />}
    </Page>
  );
}

function RecipeAtWork({ recipe }: { recipe: RecipeWire }) {
  const navigate = useNavigate();
  const [deleting, setDeleting] = useState(false);
  const draftName = `${recipe.id}@${recipe.version}`;
  const [initial] = useState(() => readRecipeDraft(draftName) ?? recipe.yaml);
  const work = useWorkbench(initial, (text) => saveRecipeDraft(draftName, text));
  /** What was written while it was being saved stays, and is what is not saved yet. */
  const settle = ({ id, version, yaml }: RecipeWire, sent: string) => {
    if (work.text === sent) work.setText(yaml);
    clearRecipeDraft(draftName);
    if (work.text !== sent) saveRecipeDraft(`${id}@${version}`, work.text);
  };
  const saving = useSaving(recipe, {
    onSaved: settle,
    onCooking: async ({ id }, saved, sent) => {
      settle(saved, sent);
      await navigate({ to: '/cooks/$cookId', params: { cookId: id } });
    },
    onRefused: work.refuse,
  });
  const saved = saving.saved ?? recipe;
  return (
    <Page
      title={saved.title}
      lead={saved.summary || `Version ${saved.version}`}
      above={<WayBack />}
      actions={
        <Button look="quiet" onClick={() => setDeleting(true)}>
          Delete
        </Button>
      }
    >
      {work.text !== saved.yaml && (
        <div className="mb-8">
          <Notice
            title="Not saved yet"
            actions={
              <Button look="secondary" size="small" onClick={() => work.setText(saved.yaml)}>
                Back to version {saved.version}
              </Button>
            }
          >
            What stands here is kept in this tab until you save or cook it.
          </Notice>
        </div>
      )}
      <WorkbenchView work={work}>
        <CookButtons work={work} saving={saving} isSignedIn />
      </WorkbenchView>
      <div className="mt-16 grid grid-cols-[minmax(0,1fr)] gap-12 lg:grid-cols-[minmax(0,1fr)_minmax(0,30rem)]">
        <CooksSection recipeId={recipe.id} />
        <VersionsSection recipe={saved} use={work.setText} />
      </div>
      {deleting && <DeleteRecipeDialog recipe={saved} close={() => setDeleting(false)} />}
    </Page>
  );
}

function WayBack() {
  return (
    <Link
      to="/recipes"
      className="mb-6 inline-flex items-center gap-1 text-sm text-soft hover:text-ink hover:underline"
    >
      <ChevronLeft aria-hidden="true" className="size-4" /> Recipes
    </Link>
  );
}
