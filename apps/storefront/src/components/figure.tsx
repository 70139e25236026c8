import type { ReactNode } from 'react';

/** One figure of a summary with what it means; several stand in a `<dl>`. */
export function Figure({ label, hint, children }: { label: string; hint?: ReactNode; children: ReactNode }) {
  return (
    <div className="grid content-start gap-1">
      <dt className="text-sm text-soft">{label}</dt>
      <dd className="text-2xl font-[640] tracking-tight tabular-nums">{children}</dd>
      {hint && <dd className="text-sm text-soft">{hint}</dd>}
    </div>
  );
}
