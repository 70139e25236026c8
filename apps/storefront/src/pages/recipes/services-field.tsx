import { type FormEvent, useState } from 'react';
import { systemdUnit, UNIT_LISTS, type UnitList, unitFaults } from '#libs/contracts';
import { Button } from '../../components/button.tsx';
import { SelectField } from '../../components/select-field.tsx';
import { TextField } from '../../components/text-field.tsx';
import { addTo, removeIn } from '../../recipe/edit-recipe.ts';
import { PartRow } from './part-row.tsx';
import type { Workbench } from './use-workbench.ts';

type Services = Workbench['draft']['services'];

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
      <NewUnit
        services={draft.services}
        add={(list, unit) => edit((text) => addTo(text, ['services', list], unit))}
      />
    </div>
  );
}

interface NewUnitProps {
  readonly services: Services;
  readonly add: (list: UnitList, unit: string) => void;
}

function NewUnit({ services, add }: NewUnitProps) {
  const [unit, setUnit] = useState('');
  const [list, setList] = useState<UnitList>('enable');
  const [problem, setProblem] = useState<string | null>(null);

  function submit(event: FormEvent): void {
    event.preventDefault();
    const parsed = systemdUnit.safeParse(unit.trim());
    const why = parsed.success
      ? whyNotInto(services, list, parsed.data)
      : 'It must be a unit of systemd, such as nginx.service.';
    setProblem(why ?? null);
    if (!parsed.success || why !== undefined) return;
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

/** What would be wrong with the recipe by this unit alone, in the words of the API's own contract. */
function whyNotInto(services: Services, list: UnitList, unit: string): string | undefined {
  const known = new Set(unitFaults(services).map(({ message }) => message));
  const faults = unitFaults({ ...services, [list]: [...services[list], unit] });
  const fault = faults.find(({ message }) => !known.has(message));
  return fault && `${fault.message.startsWith(unit) ? '' : `${unit} `}${fault.message}.`;
}
