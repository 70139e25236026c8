import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';

interface EntriesLinkProps {
  readonly of: {
    readonly account?: string;
    readonly customer_id?: number;
    readonly cause_kind?: string;
    readonly cause_id?: string;
    readonly month?: string;
    readonly from?: string;
    readonly until?: string;
  };
  /** What the figure is, for those who hear the link alone. */
  readonly label: string;
  readonly children: ReactNode;
}

/** A figure that leads to the entries of the ledger that it comes from. */
export function EntriesLink({ of, label, children }: EntriesLinkProps) {
  return (
    <Link
      to="/operator/ledger"
      search={of}
      aria-label={label}
      className="tabular-nums underline decoration-line-strong underline-offset-4"
    >
      {children}
    </Link>
  );
}
