import { type ReactNode, useId } from 'react';

interface SectionProps {
  readonly title: string;
  readonly hint?: ReactNode;
  readonly actions?: ReactNode;
  readonly children: ReactNode | ((titleId: string) => ReactNode);
}

/** A titled part of a page. */
export function Section({ title, hint, actions, children }: SectionProps) {
  const titleId = useId();
  return (
    <section aria-labelledby={titleId}>
      <div className="mb-4 flex flex-wrap items-end justify-between gap-3">
        <div>
          <h2 id={titleId} className="text-xl">
            {title}
          </h2>
          {hint && <p className="mt-1 text-[0.9375rem] text-soft">{hint}</p>}
        </div>
        {actions}
      </div>
      {typeof children === 'function' ? children(titleId) : children}
    </section>
  );
}

/** A bordered surface. */
export function Panel({ children, className = '' }: { children: ReactNode; className?: string }) {
  return (
    <div className={`rounded-card border border-line bg-surface p-5 shadow-card sm:p-6 ${className}`}>
      {children}
    </div>
  );
}
