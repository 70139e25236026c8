import { Field } from '@base-ui/react/field';
import type { ComponentProps, ReactNode } from 'react';

const CONTROL =
  'block w-full rounded-control border border-line-strong bg-surface px-3 py-2 text-base text-ink placeholder:text-soft/80 aria-invalid:border-bad';

interface TextFieldProps extends Omit<ComponentProps<typeof Field.Control>, 'className'> {
  readonly label: string;
  readonly hint?: ReactNode;
  readonly problem?: string | null | undefined;
  readonly mono?: boolean;
  readonly multiline?: boolean;
  /** Of a multiline one. */
  readonly rows?: number;
  readonly trailing?: ReactNode;
}

/** A labelled input with its hint and, below it, what is wrong with its value. */
export function TextField({
  label,
  hint,
  problem,
  mono,
  multiline,
  rows = 4,
  trailing,
  ...control
}: TextFieldProps) {
  const look = `${CONTROL} ${mono ? 'font-mono text-[0.9rem]' : ''}`;
  return (
    <Field.Root invalid={Boolean(problem)} className="grid content-start gap-1.5">
      <Field.Label className="text-sm font-[550]">{label}</Field.Label>
      <div className="flex gap-2">
        {multiline ? (
          <Field.Control
            {...control}
            render={<textarea rows={rows} />}
            className={`${look} resize-y break-all`}
          />
        ) : (
          <Field.Control {...control} className={look} />
        )}
        {trailing}
      </div>
      {hint && <Field.Description className="text-sm text-soft">{hint}</Field.Description>}
      {problem && (
        <Field.Error match className="text-sm font-medium text-bad">
          {problem}
        </Field.Error>
      )}
    </Field.Root>
  );
}
