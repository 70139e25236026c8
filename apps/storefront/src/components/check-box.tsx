import type { ReactNode } from 'react';

interface CheckBoxProps {
  readonly label: ReactNode;
  readonly checked: boolean;
  readonly onChange: (checked: boolean) => void;
  readonly disabled?: boolean;
}

export function CheckBox({ label, checked, onChange, disabled = false }: CheckBoxProps) {
  return (
    <label className="flex items-start gap-2.5 text-[0.9375rem] has-disabled:opacity-60">
      <input
        type="checkbox"
        checked={checked}
        disabled={disabled}
        onChange={(event) => onChange(event.currentTarget.checked)}
        className="mt-1 size-4 accent-brand"
      />
      <span>{label}</span>
    </label>
  );
}
