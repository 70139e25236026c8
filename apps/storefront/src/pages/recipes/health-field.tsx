import { type FormEvent, useState } from 'react';
import { type HealthCheckWire, healthCheck } from '#libs/contracts';
import { withRequired } from '#libs/kernel';
import { Button } from '../../components/button.tsx';
import { SelectField } from '../../components/select-field.tsx';
import { TextField } from '../../components/text-field.tsx';
import { nameOfCheck } from '../../health-check-words.ts';
import { addTo, removeIn } from '../../recipe/edit-recipe.ts';
import { PartRow } from './part-row.tsx';
import type { Workbench } from './use-workbench.ts';

/** What must pass before a server of the image counts as ready. */
export function HealthField({ work }: { work: Workbench }) {
  const { draft, edit, parts, problemAt } = work;
  const brought = withRequired(draft.components, parts.components).flatMap(({ title, health }) =>
    health.map((check) => ({ check, by: title })),
  );
  const isEmpty = brought.length + draft.health.length === 0;
  return (
    <div className="grid gap-3">
      {isEmpty ? (
        <p className="text-[0.9375rem] text-soft">None of its own yet. Its base is checked in any case.</p>
      ) : (
        <ul
          aria-label="Health checks"
          className="divide-y divide-line rounded-control border border-line bg-surface"
        >
          {brought.map(({ check, by }) => (
            <PartRow
              key={`${by} ${nameOfCheck(check)}`}
              title={nameOfCheck(check)}
              hint={`comes with ${by}`}
            />
          ))}
          {draft.health.map((check, index) => (
            <PartRow
              // biome-ignore lint/suspicious/noArrayIndexKey: while one writes, two may be the same
              key={`${index} ${nameOfCheck(check)}`}
              title={nameOfCheck(check)}
              problem={problemAt('health', index) ?? problemAt('health', index, 'port')}
              remove={() => edit((text) => removeIn(text, ['health', index]))}
            />
          ))}
        </ul>
      )}
      <NewCheck add={(check) => edit((text) => addTo(text, ['health'], check))} />
    </div>
  );
}

function NewCheck({ add }: { add: (check: HealthCheckWire) => void }) {
  const [type, setType] = useState<HealthCheckWire['type']>('http');
  const [port, setPort] = useState('');
  const [path, setPath] = useState('/');
  const [status, setStatus] = useState('200');
  const [problems, setProblems] = useState<Readonly<Record<string, string>>>({});

  function submit(event: FormEvent): void {
    event.preventDefault();
    const parsed = healthCheck.safeParse({
      type,
      port: Number(port),
      ...(type === 'http' && { path, status: Number(status) }),
    });
    setProblems(
      parsed.success ? {} : Object.fromEntries(parsed.error.issues.map((one) => [one.path[0], WRONG])),
    );
    if (!parsed.success) return;
    add(parsed.data);
    setPort('');
  }

  return (
    <form
      noValidate
      onSubmit={submit}
      className="grid grid-cols-2 items-start gap-3 sm:grid-cols-[7rem_6rem_minmax(0,1fr)_6rem_auto]"
    >
      <SelectField label="Check" value={type} options={TYPES} onChange={setType} />
      <TextField
        label="At port"
        name="check-port"
        inputMode="numeric"
        value={port}
        onValueChange={setPort}
        problem={problems.port}
      />
      {type === 'http' && (
        <>
          <TextField
            label="Path"
            name="check-path"
            value={path}
            onValueChange={setPath}
            problem={problems.path}
            mono
          />
          <TextField
            label="Answers"
            name="check-status"
            inputMode="numeric"
            value={status}
            onValueChange={setStatus}
            problem={problems.status}
          />
        </>
      )}
      <Button type="submit" look="secondary" className="self-end">
        Add<span className="sr-only"> the check</span>
      </Button>
    </form>
  );
}

const WRONG = 'This cannot be right.';
const TYPES = [
  ['http', 'HTTP'],
  ['tcp', 'TCP'],
] as const;
