import { type ReactNode, useState } from 'react';
import { RecipeDocket } from './recipe-docket.tsx';
import { RecipeForm } from './recipe-form.tsx';
import { RecipeText } from './recipe-text.tsx';
import type { Workbench } from './use-workbench.ts';

const VIEWS = [
  ['parts', 'Parts'],
  ['text', 'YAML'],
] as const;
type View = (typeof VIEWS)[number][0];

/** A recipe by its parts and as text, side by side; on narrow screens one of them at a time. */
export function WorkbenchView({ work, children }: { work: Workbench; children: ReactNode }) {
  const [view, setView] = useState<View>('parts');
  const hidden = (one: View) => (view === one ? '' : 'max-lg:hidden');
  return (
    <>
      <fieldset className="mb-6 grid grid-cols-2 gap-1 rounded-control border border-line bg-sunken p-1 lg:hidden">
        <legend className="sr-only">How to look at it</legend>
        {VIEWS.map(([name, title]) => (
          <button
            key={name}
            type="button"
            aria-pressed={view === name}
            onClick={() => setView(name)}
            className="min-h-10 rounded-control font-medium text-soft aria-pressed:bg-surface aria-pressed:text-ink aria-pressed:shadow-card"
          >
            {title}
          </button>
        ))}
      </fieldset>
      <div className="grid grid-cols-[minmax(0,1fr)] gap-10 lg:grid-cols-[minmax(0,1fr)_minmax(0,30rem)] lg:gap-12">
        <div className={hidden('parts')}>
          <RecipeForm work={work} />
        </div>
        <div className="flex min-w-0 flex-col gap-6 self-start lg:sticky lg:top-22 lg:h-[calc(100dvh-7rem)] lg:min-h-[40rem]">
          <div className={`min-h-0 flex-1 ${hidden('text')}`}>
            <RecipeText work={work} />
          </div>
          <div className="lg:order-first">
            <RecipeDocket work={work}>{children}</RecipeDocket>
          </div>
        </div>
      </div>
    </>
  );
}
