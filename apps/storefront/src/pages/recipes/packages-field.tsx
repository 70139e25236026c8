import { type FormEvent, useState } from 'react';
import { debianPackage } from '#libs/contracts';
import { Button } from '../../components/button.tsx';
import { Chip } from '../../components/chip.tsx';
import { TextField } from '../../components/text-field.tsx';
import { addTo, removeIn } from '../../recipe/edit-recipe.ts';
import type { Workbench } from './use-workbench.ts';

/** Debian packages by name; several at once, as one pastes them from a command. */
export function PackagesField({ work: { draft, edit, problemAt } }: { work: Workbench }) {
  const [typed, setTyped] = useState('');
  const [problem, setProblem] = useState<string | null>(null);

  function add(event: FormEvent): void {
    event.preventDefault();
    const names = typed.split(/[\s,]+/).filter(Boolean);
    const wrong = names.find((name) => !debianPackage.safeParse(name).success);
    setProblem(wrong === undefined ? null : `${wrong} is not the name of a Debian package.`);
    if (wrong !== undefined || names.length === 0) return;
    const fresh = [...new Set(names)].filter((name) => !draft.packages.includes(name));
    edit((text) => fresh.reduce((changed, name) => addTo(changed, ['packages'], name), text));
    setTyped('');
  }

  return (
    <form noValidate onSubmit={add} className="grid gap-3">
      <TextField
        label="Packages"
        hint="By name, several at once if you like. The archive decides on their versions."
        name="package"
        placeholder="imagemagick redis-tools"
        value={typed}
        onValueChange={setTyped}
        problem={problem}
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        mono
        trailing={
          <Button type="submit" look="secondary">
            Add
          </Button>
        }
      />
      {draft.packages.length > 0 && (
        <ul aria-label="Packages of the recipe" className="flex flex-wrap gap-2">
          {draft.packages.map((name, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: while one writes, two may be the same
            <li key={`${index} ${name}`}>
              <Chip
                problem={problemAt('packages', index)}
                remove={() => edit((text) => removeIn(text, ['packages', index]))}
              >
                {name}
              </Chip>
            </li>
          ))}
        </ul>
      )}
    </form>
  );
}
