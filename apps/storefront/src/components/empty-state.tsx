import type { LucideIcon } from 'lucide-react';
import type { ReactNode } from 'react';

interface EmptyStateProps {
  readonly icon: LucideIcon;
  readonly title: string;
  readonly children?: ReactNode;
  readonly action?: ReactNode;
}

/** A list with nothing in it yet, and the way to its first entry. */
export function EmptyState({ icon: Icon, title, children, action }: EmptyStateProps) {
  return (
    <div className="grid justify-items-center gap-3 rounded-card border border-dashed border-line-strong px-6 py-14 text-center">
      <Icon aria-hidden="true" className="size-8 text-soft" strokeWidth={1.5} />
      <h2 className="text-xl">{title}</h2>
      {children && <p className="max-w-md text-soft">{children}</p>}
      {action && <div className="mt-2">{action}</div>}
    </div>
  );
}
