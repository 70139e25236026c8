import { SelectField } from '../../components/select-field.tsx';
import { TextField } from '../../components/text-field.tsx';
import { removeIn, setIn } from '../../recipe/edit-recipe.ts';
import type { Workbench } from './use-workbench.ts';

/** What the image is called, and what it stands on. */
export function NameFields({ work: { draft, edit, parts, problemAt } }: { work: Workbench }) {
  const setOrRemove = (key: 'title' | 'summary', value: string) =>
    edit((text) => (value === '' ? removeIn(text, [key]) : setIn(text, [key], value)));
  const bases = parts.bases.map(({ name, title }) => [name, title] as const);
  const known = bases.some(([name]) => name === draft.base)
    ? bases
    : [...bases, [draft.base, draft.base] as const];
  return (
    <div className="grid gap-4 sm:grid-cols-2">
      <TextField
        label="Name"
        hint="a-z, 0-9 and hyphens"
        name="recipe-name"
        value={draft.name}
        onValueChange={(name) => edit((text) => setIn(text, ['name'], name))}
        problem={problemAt('name')}
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        mono
      />
      <TextField
        label="Title"
        hint="What people read; the name unless told"
        name="recipe-title"
        value={draft.title}
        onValueChange={(title) => setOrRemove('title', title)}
        problem={problemAt('title')}
        maxLength={60}
        autoComplete="off"
      />
      <SelectField
        label="Stands on"
        value={draft.base}
        options={known}
        onChange={(base) => edit((text) => setIn(text, ['base'], base))}
        hint={parts.bases.find(({ name }) => name === draft.base)?.summary ?? problemAt('base') ?? ''}
      />
      <TextField
        label="Summary"
        hint="One line, for your list"
        name="recipe-summary"
        value={draft.summary}
        onValueChange={(summary) => setOrRemove('summary', summary)}
        problem={problemAt('summary')}
        maxLength={140}
        autoComplete="off"
      />
    </div>
  );
}
