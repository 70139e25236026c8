import { Link } from '@tanstack/react-router';
import { ChevronLeft, ChevronRight } from 'lucide-react';
import type { ReactNode } from 'react';
import type { PaginationWire } from '#libs/contracts';
import { buttonClass } from './button.tsx';

interface PagerProps {
  readonly pagination: PaginationWire;
  /** What is listed, in the plural. */
  readonly what: string;
}

/** The way to the other pages of a long list; nothing where there is one page. */
export function Pager({ pagination, what }: PagerProps) {
  const { page, last_page: last, total_entries: total } = pagination;
  if (!last || last < 2) return null;
  return (
    <nav aria-label={`Pages of ${what}`} className="mt-6 flex flex-wrap items-center justify-between gap-3">
      <p className="text-sm text-soft tabular-nums">
        Page {page} of {last}
        {total !== null && ` · ${total} ${what}`}
      </p>
      <div className="flex gap-2">
        <PageLink page={pagination.previous_page}>
          <ChevronLeft aria-hidden="true" className="size-4" /> Previous
        </PageLink>
        <PageLink page={pagination.next_page}>
          Next <ChevronRight aria-hidden="true" className="size-4" />
        </PageLink>
      </div>
    </nav>
  );
}

function PageLink({ page, children }: { page: number | null; children: ReactNode }) {
  const look = buttonClass('secondary', 'small');
  if (page === null)
    return (
      <span aria-disabled="true" className={look}>
        {children}
      </span>
    );
  return (
    <Link to="." search={(search) => ({ ...search, page })} className={look}>
      {children}
    </Link>
  );
}
