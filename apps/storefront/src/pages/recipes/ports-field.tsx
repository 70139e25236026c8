import { type FormEvent, useState } from 'react';
import { recipePort } from '#libs/contracts';
import { withRequired } from '#libs/kernel';
import { Button } from '../../components/button.tsx';
import { SelectField } from '../../components/select-field.tsx';
import { TextField } from '../../components/text-field.tsx';
import { addTo, removeIn } from '../../recipe/edit-recipe.ts';
import { PROTOCOLS, type RecipePortDraft } from '../../recipe/read-recipe.ts';
import { PartRow } from './part-row.tsx';
import type { Workbench } from './use-workbench.ts';

const PROTOCOL_OPTIONS = PROTOCOLS.map((protocol) => [protocol, protocol] as const);

/** What servers of the image serve to others: what its parts bring, and what is its own. */
export function PortsField({ work }: { work: Workbench }) {
  const { draft, edit, parts, problemAt } = work;
  const base = parts.bases.find(({ name }) => name === draft.base);
  const brought = [
    ...(base?.ports ?? []).map((port) => ({ port, by: base?.title ?? '' })),
    ...withRequired(draft.components, parts.components).flatMap(({ title, ports }) =>
      ports.map((port) => ({ port, by: title })),
    ),
  ];
  return (
    <div className="grid gap-3">
      {brought.length + draft.ports.length > 0 && (
        <ul aria-label="Ports" className="divide-y divide-line rounded-control border border-line bg-surface">
          {brought.map(({ port, by }) => (
            <PartRow
              key={`${by} ${port.protocol}${port.port}`}
              title={wordsOf(port)}
              hint={`comes with ${by}`}
            />
          ))}
          {draft.ports.map((port, index) => (
            <PartRow
              // biome-ignore lint/suspicious/noArrayIndexKey: while one writes, two may be the same
              key={`${index} ${port.port}`}
              title={wordsOf(port)}
              problem={problemAt('ports', index, 'port') ?? problemAt('ports', index, 'name')}
              remove={() => edit((text) => removeIn(text, ['ports', index]))}
            />
          ))}
        </ul>
      )}
      <NewPort add={(port) => edit((text) => addTo(text, ['ports'], port))} />
    </div>
  );
}

function wordsOf({ name, port, protocol }: RecipePortDraft): string {
  return `${name} · ${port}/${protocol}`;
}

function NewPort({ add }: { add: (port: RecipePortDraft) => void }) {
  const [port, setPort] = useState('');
  const [name, setName] = useState('');
  const [protocol, setProtocol] = useState<RecipePortDraft['protocol']>('tcp');
  const [problem, setProblem] = useState<string | null>(null);

  function submit(event: FormEvent): void {
    event.preventDefault();
    const number = Number(port);
    const parsed = recipePort.safeParse({ name: name.trim() || `Port ${port}`, port: number, protocol });
    setProblem(parsed.success ? null : 'It must be a number from 1 to 65535.');
    if (!parsed.success) return;
    add(parsed.data);
    setPort('');
    setName('');
  }

  return (
    <form
      noValidate
      onSubmit={submit}
      className="grid grid-cols-2 items-start gap-3 sm:grid-cols-[6rem_8rem_minmax(0,1fr)_auto]"
    >
      <TextField
        label="Port"
        name="port"
        inputMode="numeric"
        value={port}
        onValueChange={setPort}
        problem={problem}
      />
      <SelectField label="Protocol" value={protocol} options={PROTOCOL_OPTIONS} onChange={setProtocol} />
      <TextField label="What it is" name="port-name" value={name} onValueChange={setName} maxLength={40} />
      <Button type="submit" look="secondary" className="self-end">
        Add<span className="sr-only"> the port</span>
      </Button>
    </form>
  );
}
