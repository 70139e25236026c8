import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { RecipeWire } from '#libs/contracts';
import { recipeVersionQuery, recipeVersionsQuery } from '../../api/recipes.ts';
import { Button } from '../../components/button.tsx';
import { FormDialog } from '../../components/dialogs.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { Section } from '../../components/section.tsx';
import { Skeleton } from '../../components/skeleton.tsx';
import { Time } from '../../components/time.tsx';

interface VersionsSectionProps {
  readonly recipe: RecipeWire;
  /** Puts a text where the recipe is written. */
  readonly use: (text: string) => void;
}

/** What the recipe was before; a version is brought back by writing it again. */
export function VersionsSection({ recipe, use }: VersionsSectionProps) {
  const [shown, setShown] = useState<number | null>(null);
  const { data: versions, error, refetch } = useQuery(recipeVersionsQuery(recipe.id));
  return (
    <Section title="Versions">
      {error && <ErrorPanel error={error} retry={refetch} />}
      {!versions && !error && <Skeleton className="h-24" />}
      {versions && (
        <ul
          aria-label="Versions"
          className="divide-y divide-line rounded-card border border-line bg-surface shadow-card"
        >
          {versions.map(({ version, created }) => (
            <li key={version} className="flex items-center justify-between gap-4 py-2 pr-2 pl-4">
              <span>
                <span className="font-[600]">Version {version}</span>{' '}
                <span className="text-sm text-soft">
                  <Time at={created} />
                </span>
              </span>
              <Button look="quiet" size="small" onClick={() => setShown(version)}>
                Show<span className="sr-only"> version {version}</span>
              </Button>
            </li>
          ))}
        </ul>
      )}
      {shown !== null && (
        <VersionDialog recipeId={recipe.id} version={shown} use={use} close={() => setShown(null)} />
      )}
    </Section>
  );
}

interface VersionDialogProps {
  readonly recipeId: number;
  readonly version: number;
  readonly use: (text: string) => void;
  readonly close: () => void;
}

function VersionDialog({ recipeId, version, use, close }: VersionDialogProps) {
  const { data: recipe, error } = useQuery(recipeVersionQuery(recipeId, version));
  return (
    <FormDialog open onOpenChange={close} title={`Version ${version}`}>
      {error && <ErrorPanel error={error} />}
      {!recipe && !error && <Skeleton className="h-48" />}
      {recipe && (
        <pre
          // biome-ignore lint/a11y/noNoninteractiveTabindex: a frame that scrolls must be reachable by keyboard
          tabIndex={0}
          className="max-h-[50dvh] overflow-auto rounded-control border border-line bg-sunken p-3 font-mono text-sm"
        >
          {recipe.yaml}
        </pre>
      )}
      <div className="flex justify-end gap-2">
        <Button look="secondary" onClick={close}>
          Close
        </Button>
        {recipe && (
          <Button
            onClick={() => {
              use(recipe.yaml);
              close();
              window.scrollTo({ top: 0 });
            }}
          >
            Go on with this one
          </Button>
        )}
      </div>
    </FormDialog>
  );
}
