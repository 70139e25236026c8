import { Radio } from '@base-ui/react/radio';
import { RadioGroup } from '@base-ui/react/radio-group';
import type { ReactNode } from 'react';

interface ChoiceGroupProps<T extends string> {
  readonly labelledBy: string;
  readonly value: T;
  readonly onChange: (value: T) => void;
  readonly children: ReactNode;
  readonly className?: string;
}

/** A group of cards of which one is chosen; arrow keys move between them. */
export function ChoiceGroup<T extends string>(props: ChoiceGroupProps<T>) {
  return (
    <RadioGroup
      aria-labelledby={props.labelledBy}
      value={props.value}
      onValueChange={(value) => props.onChange(value)}
      className={props.className ?? 'grid grid-cols-[minmax(0,1fr)] gap-3'}
    >
      {props.children}
    </RadioGroup>
  );
}

interface ChoiceProps {
  readonly value: string;
  readonly disabled?: boolean;
  readonly children: ReactNode;
}

export function Choice({ value, disabled = false, children }: ChoiceProps) {
  return (
    <Radio.Root
      value={value}
      disabled={disabled}
      render={<div />}
      className="group relative flex gap-3 rounded-card border border-line-strong/70 bg-surface p-4 transition-colors hover:border-ink/60 data-checked:border-brand data-checked:bg-brand-tint/50 data-checked:ring-1 data-checked:ring-brand data-disabled:cursor-not-allowed data-disabled:border-line data-disabled:opacity-65"
    >
      <span
        aria-hidden="true"
        className="mt-0.5 grid size-5 shrink-0 place-items-center rounded-full border-2 border-line-strong group-data-checked:border-brand"
      >
        <Radio.Indicator className="size-2.5 rounded-full bg-brand" />
      </span>
      <span className="min-w-0 flex-1">{children}</span>
    </Radio.Root>
  );
}
