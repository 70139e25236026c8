import { type FormEvent, useState } from 'react';
import { systemdUnit } from '#libs/contracts';
import { Button } from '../../components/button.tsx';
import { SelectField } from '../../components/select-field.tsx';
import { TextField } from '../../components/text-field.tsx';
import { addTo, removeIn } from '../../recipe/edit-recipe.ts';
import { UNIT_LISTS, type UnitList } from '../../recipe/read-recipe.ts';
import { PartRow } from './part-row.tsx';
import type { Workbench } from './use-workbench.ts';

const WORDS: Readonly<Record<UnitList, readonly [choice: string, said: string]>> = {
  enable: ['Enable', 'starts at each boot'],
  disable: ['Disable', 'does not start by itself'],
  mask: ['Mask', 'cannot be started'],
};
const LIST_OPTIONS = UNIT_LISTS.map((list) => [list, WORDS[list][0]] as const);

/** What becomes of units of systemd beside what their packages want. */
export function ServicesField({ work: { draft, edit, problemAt } }: { work: Workbench }) {
  const units = UNIT_LISTS.flatMap((list) =>
    draft.services[list].map((unit, index) => ({ list, unit, index })),
  );
  return (
    <div className="grid gap-3">
      {units.length > 0 && (
        <ul
          aria-label="Services"
          className="divide-y divide-line rounded-control border border-line bg-surface"
        >
          {units.map(({ list, unit, index }) => (
            <PartRow
              key={`${list} ${index} ${unit}`}
              title={unit || 'without a name'}
              hint={WORDS[list][1]}
              problem={problemAt('services', list, index)}
              remove={() => edit((text) => removeIn(text, ['services', list, index]))}
            />
          ))}
        </ul>
      )}
      <NewUnit add={(list, unit) => edit((text) => addTo(text, ['services', list], unit))} />
    </div>
  );
}

function NewUnit({ add }: { add: (list: UnitList, unit: string) => void }) {
  const [unit, setUnit] = useState('');
  const [list, setList] = useState<UnitList>('enable');
  const [problem, setProblem] = useState<string | null>(null);

  function submit(event: FormEvent): void {
    event.preventDefault();
    const parsed = systemdUnit.safeParse(unit.trim());
    setProblem(parsed.success ? null : 'It must be a unit of systemd, such as nginx.service.');
    if (!parsed.success) return;
    add(list, parsed.data);
    setUnit('');
  }

  return (
    <form
      noValidate
      onSubmit={submit}
      className="grid grid-cols-2 items-start gap-3 sm:grid-cols-[minmax(0,1fr)_8rem_auto]"
    >
      <TextField
        label="Unit"
        name="unit"
        placeholder="tidy.service"
        value={unit}
        onValueChange={setUnit}
        problem={problem}
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        mono
      />
      <SelectField label="Action" value={list} options={LIST_OPTIONS} onChange={setList} />
      <Button type="submit" look="secondary" className="self-end">
        Add<span className="sr-only"> the unit</span>
      </Button>
    </form>
  );
}
