import type { ReactNode } from 'react';

/** An order ticket with a torn lower edge: prices and orders stand on one. */
export function Docket({ children, className = '' }: { children: ReactNode; className?: string }) {
  return (
    <div className={`docket-shadow ${className}`}>
      <div className="docket px-5 pt-5 sm:px-6">{children}</div>
    </div>
  );
}

export function DocketRule() {
  return <hr className="docket-rule my-4" />;
}

/** One line of a docket: what, and how much. */
export function DocketLine({
  label,
  children,
  strong,
}: {
  label: ReactNode;
  children: ReactNode;
  strong?: boolean;
}) {
  return (
    <div
      className={`flex items-baseline justify-between gap-4 py-1 ${strong ? 'text-lg font-[640]' : 'text-[0.9375rem]'}`}
    >
      <dt className={strong ? '' : 'text-soft'}>{label}</dt>
      <dd className="min-w-0 text-right font-medium tabular-nums">{children}</dd>
    </div>
  );
}
