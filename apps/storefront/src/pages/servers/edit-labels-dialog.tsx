import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Plus, X } from 'lucide-react';
import { type FormEvent, useState } from 'react';
import type { ServerWire } from '#libs/contracts';
import { updateServer } from '../../api/servers.ts';
import { Button } from '../../components/button.tsx';
import { FormDialog } from '../../components/dialogs.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { TextField } from '../../components/text-field.tsx';
import { fromLabelRows, type LabelProblem, type LabelRow, labelProblems, toLabelRows } from '../../labels.ts';

export function EditLabelsDialog({ server, close }: { server: ServerWire; close: () => void }) {
  const queryClient = useQueryClient();
  const form = useLabelRows(server.labels);
  const save = useMutation({
    mutationFn: () => updateServer(server.id, { labels: fromLabelRows(form.rows) }),
    onSuccess: async () => {
      await queryClient.invalidateQueries({ queryKey: ['servers'] });
      close();
    },
  });

  function submit(event: FormEvent): void {
    event.preventDefault();
    if (form.check()) save.mutate();
  }
  return (
    <FormDialog open onOpenChange={close} title={`Labels of ${server.name}`}>
      <form noValidate onSubmit={submit} className="grid gap-5">
        {save.error && <ErrorPanel error={save.error} title="The labels were not saved" />}
        {form.rows.length === 0 && <p className="text-soft">It has no labels.</p>}
        {form.rows.map((row, index) => (
          <LabelFields
            key={row.row}
            row={row}
            number={index + 1}
            problem={form.problems.get(row.row)}
            change={form.change}
            remove={form.remove}
          />
        ))}
        <div className="flex flex-wrap justify-between gap-2">
          <Button look="quiet" size="small" onClick={form.add}>
            <Plus aria-hidden="true" className="size-4" /> Add a label
          </Button>
          <span className="ml-auto flex gap-2">
            <Button look="secondary" onClick={close}>
              Cancel
            </Button>
            <Button type="submit" busy={save.isPending}>
              Save labels
            </Button>
          </span>
        </div>
      </form>
    </FormDialog>
  );
}

function useLabelRows(labels: ServerWire['labels']) {
  const [rows, setRows] = useState<readonly LabelRow[]>(() => {
    const known = toLabelRows(labels);
    return known.length > 0 ? known : [{ row: 0, key: '', value: '' }];
  });
  const [tried, setTried] = useState(false);
  return {
    rows,
    problems: tried ? labelProblems(rows) : new Map<number, LabelProblem>(),
    check: () => {
      setTried(true);
      return labelProblems(rows).size === 0;
    },
    change: (changed: LabelRow) => setRows(rows.map((one) => (one.row === changed.row ? changed : one))),
    remove: ({ row }: LabelRow) => setRows(rows.filter((one) => one.row !== row)),
    add: () =>
      setRows([...rows, { row: Math.max(0, ...rows.map(({ row }) => row)) + 1, key: '', value: '' }]),
  };
}

interface LabelFieldsProps {
  readonly row: LabelRow;
  readonly number: number;
  readonly problem: LabelProblem | undefined;
  readonly change: (row: LabelRow) => void;
  readonly remove: (row: LabelRow) => void;
}

function LabelFields({ row, number, problem, change, remove }: LabelFieldsProps) {
  const field = { autoComplete: 'off', autoCapitalize: 'none', spellCheck: false, mono: true } as const;
  return (
    <fieldset className="grid grid-cols-[minmax(0,1fr)_minmax(0,1fr)_auto] items-start gap-2">
      <legend className="sr-only">Label {number}</legend>
      <TextField
        {...field}
        label="Name"
        name="label-key"
        value={row.key}
        onValueChange={(key) => change({ ...row, key })}
        problem={problem?.key}
      />
      <TextField
        {...field}
        label="Value"
        name="label-value"
        value={row.value}
        onValueChange={(value) => change({ ...row, value })}
        problem={problem?.value}
      />
      <button
        type="button"
        aria-label={`Remove label ${number}`}
        onClick={() => remove(row)}
        className="mt-6.5 grid size-10 place-items-center rounded-control text-soft hover:bg-sunken hover:text-ink"
      >
        <X aria-hidden="true" className="size-4" />
      </button>
    </fieldset>
  );
}
