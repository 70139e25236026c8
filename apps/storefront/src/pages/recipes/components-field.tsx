import { useState } from 'react';
import type { ComponentWire } from '#libs/contracts';
import { withRequired } from '#libs/kernel';
import { categoryTitle } from '../../catalog-search.ts';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { SearchField } from '../../components/search-field.tsx';
import { Skeleton } from '../../components/skeleton.tsx';
import { addTo, removeIn } from '../../recipe/edit-recipe.ts';
import { rivalOf } from '../../recipe/recipe-parts.ts';
import type { Workbench } from './use-workbench.ts';

/** The parts that somebody has thought through, those of one kind together; what cannot go together cannot be chosen together. */
export function ComponentsField({ work }: { work: Workbench }) {
  const [search, setSearch] = useState('');
  const { arePartsHere, partsError, askForParts } = work;
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const found = byCategory(work.parts.components).filter((component) => {
    const said = [
      component.name,
      component.title,
      component.summary,
      component.category,
      ...component.packages,
    ];
    return words.every((word) => said.join(' ').toLowerCase().includes(word));
  });
  if (partsError)
    return <ErrorPanel error={partsError} retry={askForParts} title="The components could not be loaded" />;
  if (!arePartsHere) return <Skeleton className="mb-2 h-24" count={4} />;
  return (
    <div className="grid gap-5">
      <SearchField label="Find a component" value={search} onChange={setSearch} />
      {found.length === 0 && (
        <p className="text-soft">No component is like that. Debian has far more: name its package below.</p>
      )}
      <div className="grid grid-cols-[minmax(0,1fr)] gap-2 sm:grid-cols-[repeat(2,minmax(0,1fr))]">
        {found.map((component) => (
          <ComponentBox key={component.name} component={component} work={work} />
        ))}
      </div>
    </div>
  );
}

function ComponentBox({ component, work }: { component: ComponentWire; work: Workbench }) {
  const { draft, edit, parts } = work;
  const { name, title, summary, category, packages } = component;
  const isChosen = draft.components.includes(name);
  const bringer = isChosen ? undefined : bringerOf(component, work);
  const rival = isChosen || bringer ? undefined : rivalOf(component, draft.components, parts);
  const toggle = () =>
    edit((text) =>
      isChosen
        ? removeIn(text, ['components', draft.components.indexOf(name)])
        : addTo(text, ['components'], name),
    );
  return (
    <label className="flex gap-3 rounded-control border border-line-strong/60 bg-surface p-3 transition-colors hover:border-ink/60 has-checked:border-brand has-checked:bg-brand-tint/50 has-disabled:border-line has-disabled:hover:border-line has-focus-visible:outline-2 has-focus-visible:outline-focus">
      <input
        type="checkbox"
        checked={isChosen || bringer !== undefined}
        disabled={bringer !== undefined || rival !== undefined}
        onChange={toggle}
        className="mt-1 size-4 shrink-0 accent-brand outline-none"
      />
      <span className="min-w-0 flex-1">
        <span className="flex flex-wrap items-baseline justify-between gap-x-3">
          <span className="font-[600]">{title}</span>
          <span className="text-xs text-soft">{categoryTitle(category)}</span>
        </span>
        <span className="block text-sm text-soft">{summary}</span>
        <span className="mt-1 block truncate font-mono text-xs text-soft">{packages.join(' ')}</span>
        {bringer && <span className="mt-1 block text-sm">Comes with {bringer.title}</span>}
        {rival && <span className="mt-1 block text-sm">Not together with {rival.title}</span>}
      </span>
    </label>
  );
}

/** The chosen component that this one comes with. */
function bringerOf({ name }: ComponentWire, { draft, parts }: Workbench): ComponentWire | undefined {
  return withRequired(draft.components, parts.components).find(({ requires }) => requires.includes(name));
}

function byCategory(components: readonly ComponentWire[]): ComponentWire[] {
  const key = ({ category, title }: ComponentWire) => `${categoryTitle(category)} ${title}`;
  return components.toSorted((a, b) => key(a).localeCompare(key(b), 'en'));
}
