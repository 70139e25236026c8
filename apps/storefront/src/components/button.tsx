import { LoaderCircle } from 'lucide-react';
import type { ComponentProps } from 'react';

const LOOK = {
  primary: 'bg-brand text-on-brand hover:bg-brand-hover shadow-sm',
  accent: 'bg-saffron text-[#10211b] hover:brightness-110 shadow-sm',
  secondary: 'bg-surface text-ink border border-line-strong/60 hover:border-ink/60 hover:bg-sunken',
  quiet: 'text-ink hover:bg-sunken',
  danger: 'bg-bad text-surface hover:brightness-90',
} as const;

const SIZE = {
  medium: 'min-h-10 px-4 text-[0.9375rem]',
  large: 'min-h-12 px-6 text-base',
  small: 'min-h-9 px-3 text-sm',
};

export type ButtonLook = keyof typeof LOOK;

/** The classes of a button, for links that look like one. */
export function buttonClass(look: ButtonLook = 'primary', size: keyof typeof SIZE = 'medium'): string {
  const base =
    'inline-flex items-center justify-center gap-2 rounded-control font-[550] transition-colors select-none disabled:opacity-55 aria-disabled:opacity-55';
  return `${base} ${LOOK[look]} ${SIZE[size]}`;
}

interface ButtonProps extends ComponentProps<'button'> {
  readonly look?: ButtonLook;
  readonly size?: keyof typeof SIZE;
  /** Work is under way: the button shows it and takes no further click, but keeps the focus. */
  readonly busy?: boolean;
}

export function Button({
  look,
  size,
  busy = false,
  className = '',
  onClick,
  children,
  ...rest
}: ButtonProps) {
  return (
    <button
      type="button"
      {...rest}
      aria-disabled={busy || undefined}
      onClick={(event) => (busy ? event.preventDefault() : onClick?.(event))}
      className={`${buttonClass(look, size)} ${className}`}
    >
      {busy && <LoaderCircle aria-hidden="true" className="size-4 animate-spin" />}
      {children}
    </button>
  );
}
